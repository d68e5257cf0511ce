#include "core/ids.hpp"

#include <set>

#include <gtest/gtest.h>

namespace qylon {
namespace {

TEST(Uuid, ReadsTheFormOfTheRfcInEitherCase) {
  // RFC 9562 appendix A.3, a version 4 UUID.
  const auto uuid = Uuid::parse("919108F7-52d1-4320-9bac-f847db4148a8");
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->bytes[0], 0x91);
  EXPECT_EQ(uuid->bytes[15], 0xA8);
  EXPECT_EQ(uuid->to_string(), "919108f7-52d1-4320-9bac-f847db4148a8");
}

TEST(Uuid, RefusesEveryOtherForm) {
  for (const char* text : {"",
                           "919108f7-52d1-4320-9bac-f847db4148a",
                           "919108f7-52d1-4320-9bac-f847db4148a80",
                           "919108f752d1-4320-9bac-f847-db4148a8",
                           "{19108f7-52d1-4320-9bac-f847db4148a8",
                           "919108f7-52d1-4320-9bac-f847db4148ag",
                           "919108f7 52d1 4320 9bac f847db4148a8"}) {
    EXPECT_FALSE(Uuid::parse(text)) << text;
  }
}

TEST(Uuid, RandomOnesAreVersionFourAndDiffer) {
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = Uuid::random();
    EXPECT_EQ(uuid.bytes[6] >> 4, 4);  // RFC 9562 section 5.4.
    EXPECT_EQ(uuid.bytes[8] >> 6, 2);
    seen.insert(uuid);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace qylon

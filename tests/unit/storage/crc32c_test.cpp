#include "storage/crc32c.hpp"

#include <cstdint>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::storage {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes rising() {
  Bytes bytes(32);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

// Expected values: RFC 3720 section B.4, whose byte order is that of the wire (little-endian).
TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c(Bytes(32, 0x00)), 0x8A9136AAU);
  EXPECT_EQ(crc32c(Bytes(32, 0xFF)), 0x62A8AB43U);
  const Bytes up = rising();
  EXPECT_EQ(crc32c(up), 0x46DD794EU);
  EXPECT_EQ(crc32c(Bytes(up.rbegin(), up.rend())), 0x113FDB5CU);
}

TEST(Crc32c, MatchesTheIscsiReadCommandOfRfc3720) {
  const Bytes command{0x01, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                      0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
                      0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
                      0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  EXPECT_EQ(crc32c(command), 0xD9963A56U);
}

TEST(Crc32c, ThePortableFormAgreesForEveryLengthAndStart) {
  Bytes bytes(67);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{100});
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const std::span<const std::uint8_t> part(bytes.data(), length);
    EXPECT_EQ(crc32c(part, 7), crc32c_portable(part, 7)) << length;
  }
}

TEST(Crc32c, ContinuesWhereTheFirstPartEnded) {
  const Bytes up = rising();
  const std::span<const std::uint8_t> whole(up);
  EXPECT_EQ(crc32c(whole.subspan(5), crc32c(whole.first(5))), crc32c(whole));
}

}  // namespace
}  // namespace qylon::storage

#include "core/backoff.hpp"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

namespace qylon {
namespace {

TEST(Backoff, StaysBelowTheDoublingBoundAndTheCap) {
  // 250 ms * 2^n, at most 15 s.
  constexpr std::array<std::int64_t, 9> kBounds = {
      250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000};
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Backoff backoff({.seed = seed});
    for (const std::int64_t bound : kBounds) {
      const std::int64_t wait_ms = backoff.next_ms();
      EXPECT_GE(wait_ms, 0);
      EXPECT_LE(wait_ms, bound);
    }
  }
}

TEST(Backoff, SpreadsClientsOverTheWholeInterval) {
  std::array<int, 4> quarters{};
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const std::int64_t wait_ms = Backoff({.base_ms = 999, .seed = seed}).next_ms();
    ++quarters[static_cast<std::size_t>(wait_ms / 250)];
  }
  // 1000 expected each, standard deviation sqrt(4000 * 1/4 * 3/4) = 27; five of them.
  for (const int count : quarters)
    EXPECT_NEAR(count, 1000, 137);
}

TEST(Backoff, WaitsAtLeastAsLongAsTheServerAsks) {
  Backoff backoff({});
  EXPECT_EQ(backoff.next_ms(20'000), 20'000);
}

TEST(Backoff, BeginsAgainAfterReset) {
  Backoff backoff({});
  for (int i = 0; i < 10; ++i)
    backoff.next_ms();
  backoff.reset();
  EXPECT_LE(backoff.next_ms(), 250);
}

}  // namespace
}  // namespace qylon

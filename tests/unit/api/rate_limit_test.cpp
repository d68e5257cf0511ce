#include "api/core/rate_limit.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

TEST(RateLimit, GivesEveryKeyItsBurstThenItsRate) {
  RateLimit limit({.per_s = 2, .burst = 3});
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(limit.take("a", 0));
  EXPECT_FALSE(limit.take("a", 0));
  EXPECT_TRUE(limit.take("b", 0));
  EXPECT_TRUE(limit.take("a", kSecondUs / 2));
  EXPECT_FALSE(limit.take("a", kSecondUs / 2));
}

TEST(RateLimit, RemembersWhoAskedLatelyWhenManyOthersCome) {
  RateLimit limit({.per_s = 1, .burst = 1}, 100);
  EXPECT_TRUE(limit.take("a", 0));
  for (int i = 0; i < 60; ++i)
    EXPECT_TRUE(limit.take(std::to_string(i), 0));
  EXPECT_FALSE(limit.take("a", 0));
  for (int i = 100; i < 200; ++i)
    EXPECT_TRUE(limit.take(std::to_string(i), 0));
  EXPECT_TRUE(limit.take("a", 0)) << "forgotten, so that memory stays bounded";
}

}  // namespace
}  // namespace qylon::api

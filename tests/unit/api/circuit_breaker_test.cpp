#include "api/core/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

constexpr CircuitBreaker::Options kOptions{.failures_max = 3, .open_ms = 1000};

CircuitBreaker opened() {
  CircuitBreaker breaker(kOptions);
  for (int i = 0; i < 3; ++i)
    breaker.failure(0);
  return breaker;
}

TEST(CircuitBreaker, OpensAfterFailuresInARowOnly) {
  CircuitBreaker breaker(kOptions);
  breaker.failure(0);
  breaker.failure(0);
  breaker.success();
  breaker.failure(0);
  breaker.failure(0);
  EXPECT_TRUE(breaker.try_enter(0));
  breaker.failure(0);
  EXPECT_FALSE(breaker.try_enter(999));
}

TEST(CircuitBreaker, LetsOneProbeIn) {
  CircuitBreaker breaker = opened();
  EXPECT_TRUE(breaker.try_enter(1000));
  EXPECT_FALSE(breaker.try_enter(1000));
  breaker.give_back();
  EXPECT_TRUE(breaker.try_enter(1000));
}

TEST(CircuitBreaker, ClosesAfterAGoodProbeAndStaysOpenAfterABadOne) {
  CircuitBreaker good = opened();
  ASSERT_TRUE(good.try_enter(1000));
  good.success();
  EXPECT_TRUE(good.try_enter(1000));
  EXPECT_TRUE(good.try_enter(1000));
  CircuitBreaker bad = opened();
  ASSERT_TRUE(bad.try_enter(1000));
  bad.failure(1000);
  EXPECT_FALSE(bad.try_enter(1999));
  EXPECT_TRUE(bad.try_enter(2000));
}

}  // namespace
}  // namespace qylon::api

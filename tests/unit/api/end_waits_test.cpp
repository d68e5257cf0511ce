#include "api/end_waits.hpp"

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

EndWaits::Wait wait_until(std::int64_t deadline_us) {
  EndWaits::Wait wait;
  wait.reply = [](const HttpResponse&) {};
  wait.deadline_us = deadline_us;
  return wait;
}

TEST(EndWaits, GivesEachWaitOutOnce) {
  EndWaits waits(4);
  const auto ticket = waits.add(wait_until(100));
  ASSERT_TRUE(ticket);
  EXPECT_TRUE(waits.take(*ticket));
  EXPECT_FALSE(waits.take(*ticket));
  EXPECT_TRUE(waits.take_expired(1000).empty());
  EXPECT_TRUE(waits.empty());
}

TEST(EndWaits, ExpiresWhatIsDueAndKeepsTheRest) {
  EndWaits waits(4);
  const auto early = waits.add(wait_until(100));
  const auto late = waits.add(wait_until(200));
  EXPECT_TRUE(waits.take_expired(99).empty());
  EXPECT_EQ(waits.take_expired(100).size(), 1U);
  EXPECT_FALSE(waits.take(*early));
  EXPECT_TRUE(waits.take(*late));
}

TEST(EndWaits, RefusesMoreThanItHolds) {
  EndWaits waits(1);
  EXPECT_TRUE(waits.add(wait_until(100)));
  EXPECT_FALSE(waits.add(wait_until(100)));
}

}  // namespace
}  // namespace qylon::api

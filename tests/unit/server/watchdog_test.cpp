#include "server/watchdog.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "core/unique_fd.hpp"
#include "tests/support/fake_clock.hpp"

namespace qylon::server {
namespace {

struct WatchdogTest : testing::Test {
  test::FakeClock clock;
  UniqueFd null{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  Log log{clock, LogLevel::kError, null.get()};
  Counters counters;
  std::vector<std::shared_ptr<void>> owed;  // What a thread has not got to yet.
  Watchdog watchdog{
      5'000'000,
      {{"net", [this](const std::shared_ptr<void>& token) { owed.assign(2, token); }}},
      {.clock = clock, .log = log, .counters = counters}};

  std::int64_t stalled() { return counters.gauge("qylon_threads_stalled", "").value(); }
};

TEST_F(WatchdogTest, IsContentWhileAnswersAreWithinPatience) {
  EXPECT_TRUE(watchdog.check());
  clock.advance_us(5'000'000);
  EXPECT_TRUE(watchdog.check());
}

TEST_F(WatchdogTest, TellsWhenOneOfTwoThreadsOwesAnAnswer) {
  watchdog.check();
  owed.pop_back();
  clock.advance_us(5'000'001);
  EXPECT_FALSE(watchdog.check());
  EXPECT_EQ(stalled(), 1);
}

TEST_F(WatchdogTest, IsContentAgainOnceTheAnswerIsThere) {
  watchdog.check();
  clock.advance_us(9'000'000);
  watchdog.check();
  owed.clear();
  EXPECT_TRUE(watchdog.check());
  EXPECT_EQ(stalled(), 0);
}

TEST_F(WatchdogTest, AsksAgainOnlyAfterAnAnswer) {
  watchdog.check();
  const auto first = std::weak_ptr<void>(owed.front());
  watchdog.check();
  EXPECT_EQ(owed.front(), first.lock());
}

}  // namespace
}  // namespace qylon::server

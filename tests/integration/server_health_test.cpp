// How the server is, told without PostgreSQL.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/log.hpp"
#include "server/health_json.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::server {
namespace {

TEST(Health, IsUnhealthyWhileCaptionsCannotBeStored) {
  const test::TemporaryDirectory directory;
  const test::FakeClock clock(1'800'000'000'000'000);
  const Log log(clock, LogLevel::kError, -1);
  Counters counters;
  storage::Journal::Options options;
  options.dir = directory.path() + "/journal";
  const auto journal = storage::Journal::open(options, log, counters, clock);
  ASSERT_TRUE(journal) << journal.error().message;
  // Nobody listens on a socket of a new directory.
  const auto database = storage::Database::open(
      {.url = "host=" + directory.path() + " dbname=qylon"}, log, counters, clock);
  ASSERT_TRUE(database) << database.error().message;

  const Health health({.clock = clock, .database = **database, .journal = **journal});
  const HttpResponse answer = health.answer();
  EXPECT_EQ(answer.status, 503);
  const auto body = nlohmann::json::parse(answer.body);
  EXPECT_EQ(body["status"], "unhealthy");
  EXPECT_EQ(body["timestamp"], "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(body["checks"]["database"]["status"], "down");
  EXPECT_EQ(body["checks"]["journal"]["status"], "up");
}

}  // namespace
}  // namespace qylon::server

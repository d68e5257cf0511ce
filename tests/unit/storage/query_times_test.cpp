#include "storage/query_times.hpp"

#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace qylon::storage {
namespace {

void expect_subject(std::string_view statement, const QuerySubject& expected) {
  const QuerySubject subject = query_subject(statement);
  EXPECT_EQ(subject.operation, expected.operation) << statement;
  EXPECT_EQ(subject.table, expected.table) << statement;
}

TEST(QuerySubject, IsTheMainStatementsOperationAndTable) {
  expect_subject("select a from meetings where b in (select c from orgs)", {"select", "meetings"});
  expect_subject("insert into clients (a) select b from orgs", {"insert", "clients"});
  expect_subject("update users set a = 1", {"update", "users"});
  expect_subject("delete from only jobs", {"delete", "jobs"});
  expect_subject("with due as (select id from jobs for update) update jobs set a = 1 from due",
                 {"update", "jobs"});
  expect_subject("select (select count(*) from tracks), a from meetings", {"select", "meetings"});
  expect_subject("insert into events (a) values (1) on conflict (a) do update set b = 2",
                 {"insert", "events"});
}

TEST(QuerySubject, IsTheFirstTableInsideWhereNoneIsOutside) {
  expect_subject("select to_jsonb(x) from (select a from app.orgs) x", {"select", "app.orgs"});
  expect_subject("select a from lateral (values (1)) v", {"select", "none"});
}

TEST(QuerySubject, DoesNotReadTexts) {
  expect_subject("select 'from elsewhere ('::text, a from meetings", {"select", "meetings"});
  expect_subject("select 'open", {"select", "none"});
}

TEST(QuerySubject, IsOtherForWhatHasNeither) {
  expect_subject("", {"other", "none"});
  expect_subject("select app.enqueue($1)", {"select", "none"});
  expect_subject("set timezone = 'UTC'", {"other", "none"});
}

TEST(QueryTimes, CountStatementsOfWatchedThreadsByTheirTime) {
  test::FakeClock clock;
  Counters counters;
  QueryTimes times(counters, clock);
  std::thread([&] {
    times.watch_this_thread();
    const QueryTimes::Statement statement("select a from meetings");
    clock.advance_us(20'000);
  }).join();
  { const QueryTimes::Statement unwatched("select a from orgs"); }
  const std::string page = counters.render();
  const std::string labels = "{operation=\"select\",table=\"meetings\",le=";
  EXPECT_NE(page.find("database_query_duration_seconds_bucket" + labels + "\"0.01\"} 0"),
            std::string::npos);
  EXPECT_NE(page.find("database_query_duration_seconds_bucket" + labels + "\"0.05\"} 1"),
            std::string::npos);
  EXPECT_EQ(page.find("orgs"), std::string::npos);
}

TEST(QueryTimes, BeyondTheirBoundAreOthers) {
  test::FakeClock clock;
  Counters counters;
  QueryTimes times(counters, clock, 1);
  std::thread([&] {
    times.watch_this_thread();
    const QueryTimes::Statement first("select a from meetings");
    const QueryTimes::Statement second("select a from orgs");
  }).join();
  const std::string page = counters.render();
  EXPECT_NE(page.find("{operation=\"other\",table=\"none\",le="), std::string::npos);
}

}  // namespace
}  // namespace qylon::storage

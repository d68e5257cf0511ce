// Sagas: their steps in order, undone in reverse, over the death of the process that drives them.

#include <gtest/gtest.h>

#include "api/core/job_runner.hpp"
#include "api/core/saga.hpp"
#include "storage/sql.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/spawned_process.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

using storage::Sql;
using storage::SqlRow;
using storage::SqlValue;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

class Trail final : public testing::Environment {
 public:
  void SetUp() override {
    ASSERT_TRUE(kDatabase->transact_as_owner([](pqxx::transaction_base& transaction) {
      Sql sql(transaction);
      sql.run("create table trail (n bigint generated always as identity, saga uuid, what text)");
      sql.run("grant select, insert on trail to service_role");
      return ok();
    }));
  }
};
const testing::Environment* const kTrail = testing::AddGlobalTestEnvironment(new Trail);

std::string start(const std::string& data) {
  std::string id;
  EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
    Sql sql(tx);
    id = start_saga(sql, "test.steps", data, "");
    return ok();
  }));
  return id;
}
std::string state_of(const std::string& id) {
  return kDatabase->rows("select state from sagas where id = $1", {id}).at(0)[0].value();
}
std::string trail_of(const std::string& id) {
  return kDatabase
      ->rows("select string_agg(what, ', ' order by n) from trail where saga = $1", {id})
      .at(0)[0]
      .value_or("");
}

TEST(Sagas, AreResumedOnceAndUndoneInReverseWhenTheirProcessIsKilled) {
  std::vector<std::string> bad;
  std::vector<std::string> good;
  for (int i = 0; i < 10; ++i) {
    bad.push_back(start("{}"));
    good.push_back(start(R"({"good": true})"));
  }
  {
    test::SpawnedProcess first({QYLON_JOBS_PROCESS, kDatabase->url(), "hang"});
    ASSERT_TRUE(
        test::poll_until([&] { return kDatabase->rows("select from trail").size() == 20; }));
    first.kill();
  }
  test::SpawnedProcess second({QYLON_JOBS_PROCESS, kDatabase->url()});
  EXPECT_TRUE(test::poll_until([&] {
    return kDatabase->rows("select from sagas where state in ('running', 'compensating')").empty();
  }));
  for (const std::string& id : bad) {
    EXPECT_EQ(state_of(id), "undone");
    EXPECT_EQ(trail_of(id), "one, two, three, undo three, undo two, undo one");
  }
  for (const std::string& id : good) {
    EXPECT_EQ(state_of(id), "done");
    EXPECT_EQ(trail_of(id), "one, two, three");
  }
  EXPECT_EQ(kDatabase->rows("select error from sagas where id = $1", {bad[0]}),
            (std::vector<SqlRow>{{"four: refused"}}));
}

TEST(Sagas, AskTheUndoOfACallThatMayHaveHappened) {
  SystemClock clock;
  const Log log(clock, LogLevel::kError);
  Counters counters;
  std::vector<std::string> keys;
  SagaStep step;
  step.name = "charge";
  step.call = [&](const SagaView& saga, const SagaAnswer& answer) {
    keys.push_back(saga.key);
    answer(Error{ErrorCode::kUnavailable, "timed out"});
  };
  step.undo_call = [&](const SagaView&, const SagaAnswer& answer) {
    keys.emplace_back("undo");
    answer(std::string{});
  };
  step.tries_max = 2;
  Sagas sagas(kDatabase->pool());
  sagas.add("test.steps", {step});
  JobRunner runner(
      {.poll_ms = 5, .backoff = {.base_ms = 1, .cap_ms = 2}},
      {.database = kDatabase->pool(), .clock = clock, .log = log, .counters = counters});
  runner.handle("saga.step", sagas.handler());
  const std::string id = start("{}");
  runner.start();
  EXPECT_TRUE(test::poll_until([&] { return state_of(id) == "undone"; }));
  EXPECT_EQ(keys, (std::vector<std::string>{id + ":0", id + ":0", "undo"}));
}

}  // namespace
}  // namespace qylon::api

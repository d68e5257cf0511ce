// Jobs on a real PostgreSQL: claims, fences, retries, and a runner that is killed.

#include <atomic>
#include <chrono>
#include <functional>

#include <gtest/gtest.h>

#include "api/core/job_runner.hpp"
#include "core/sync.hpp"
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

template <typename T>
T ask(const std::function<T(Sql&)>& body, const Principal& principal = Principal::service()) {
  T answer{};
  const Status status = kDatabase->transact_as(principal, [&](pqxx::transaction_base& transaction) {
    Sql sql(transaction);
    answer = body(sql);
    return ok();
  });
  EXPECT_TRUE(status) << status.error().message;
  return answer;
}
std::int64_t put(const NewJob& job) {
  return ask<std::int64_t>([&](Sql& sql) { return enqueue(sql, job); });
}
std::vector<Job> claim(const std::string& kind, std::size_t count = 10) {
  return ask<std::vector<Job>>([&](Sql& sql) {
    return claim_jobs(sql, {.kinds = {kind}, .count = count, .lease_ms = 30'000});
  });
}
std::string state_of(std::int64_t id) {
  const auto found = kDatabase->rows("select state from jobs where id = $1", {std::to_string(id)});
  return found.empty() ? "gone" : found[0][0].value();
}
void expire_leases() {
  ask<std::size_t>([](Sql& sql) {
    return sql.run(
        "update jobs set lease_until = now() - interval '1 s' where state = 'processing'");
  });
  ask<std::size_t>(reap_jobs);
}
std::size_t finish(const JobTry& key) {
  return ask<std::size_t>([&](Sql& sql) { return finish_jobs(sql, {key}); });
}

TEST(Jobs, AreThereOnlyWhenTheirTransactionCommits) {
  const Status status =
      kDatabase->transact_as(Principal::service(), [](pqxx::transaction_base& tx) -> Status {
        Sql sql(tx);
        enqueue(sql, {.kind = "test.gone"});
        return Error{ErrorCode::kConflict, "no"};
      });
  EXPECT_FALSE(status);
  EXPECT_TRUE(claim("test.gone").empty());
}

TEST(Jobs, AreEnqueuedByUsersWhoCannotSeeTheQueue) {
  const Principal ann{.role = "authenticated",
                      .user = "11111111-2222-4333-8444-555555555555",
                      .claims = R"({"sub":"11111111-2222-4333-8444-555555555555"})"};
  const auto id =
      ask<std::int64_t>([](Sql& sql) { return enqueue(sql, {.kind = "test.user"}); }, ann);
  EXPECT_EQ(state_of(id), "pending");
  const Status seen = kDatabase->transact_as(ann, [](pqxx::transaction_base& tx) {
    Sql(tx).rows("select from jobs");
    return ok();
  });
  ASSERT_FALSE(seen);
  EXPECT_EQ(seen.error().code, ErrorCode::kForbidden);
}

TEST(Jobs, AreClaimedByPriorityThenByAge) {
  std::vector<std::int64_t> ids;
  for (const int priority : {0, 5, 0, -5})
    ids.push_back(put({.kind = "test.order", .priority = priority}));
  std::vector<std::int64_t> claimed;
  for (const Job& job : claim("test.order"))
    claimed.push_back(job.key.id);
  EXPECT_EQ(claimed, (std::vector<std::int64_t>{ids[1], ids[0], ids[2], ids[3]}));
}

TEST(Jobs, WaitForTheirTime) {
  const std::int64_t tomorrow_ms = SystemClock().wall_us() / 1000 + 86'400'000;
  const auto id = put({.kind = "test.later", .run_at_ms = tomorrow_ms});
  EXPECT_EQ(state_of(id), "scheduled");
  EXPECT_TRUE(claim("test.later").empty());
  kDatabase->rows("update jobs set run_at = now() where id = $1", {std::to_string(id)});
  EXPECT_EQ(claim("test.later").size(), 1U);
}

TEST(Jobs, WithTheSameKeyAreOneWhileItWaitsOrRuns) {
  const NewJob job{.kind = "test.once", .dedupe = "a"};
  const auto id = put(job);
  EXPECT_EQ(put(job), id);
  NewJob other_org = job;
  other_org.org = "99999999-2222-4333-8444-555555555555";
  EXPECT_NE(put(other_org), id);
  const auto running = claim("test.once");
  ASSERT_EQ(running.size(), 2U);
  EXPECT_EQ(put(job), id);
  EXPECT_EQ(finish(running[0].key), 1U);
  EXPECT_EQ(finish(running[1].key), 1U);
  EXPECT_NE(put(job), id);
}

TEST(Jobs, AreNotEndedByALateTry) {
  const auto id = put({.kind = "test.late"});
  const JobTry first = claim("test.late").at(0).key;
  EXPECT_TRUE(claim("test.late").empty());
  expire_leases();
  const JobTry second = claim("test.late").at(0).key;
  EXPECT_EQ(second, (JobTry{id, 2}));
  EXPECT_EQ(finish(first), 0U);
  EXPECT_EQ(
      ask<std::size_t>([&](Sql& sql) { return fail_jobs(sql, {{.key = first, .error = "late"}}); }),
      0U);
  EXPECT_TRUE(ask<std::vector<JobTry>>([&](Sql& sql) {
                return extend_leases(sql, {first}, 30'000);
              }).empty());
  EXPECT_EQ(finish(second), 1U);
  EXPECT_EQ(state_of(id), "gone");
}

TEST(Jobs, AreDeadLettersAfterTheirLastTryAndCanBeRequeued) {
  const auto id = put({.kind = "test.dead", .attempts_max = 2});
  const auto fail = [&](const JobTry& key) {
    return ask<std::size_t>(
        [&](Sql& sql) { return fail_jobs(sql, {{.key = key, .error = "the \"reason\""}}); });
  };
  EXPECT_EQ(fail(claim("test.dead").at(0).key), 1U);
  EXPECT_EQ(state_of(id), "scheduled");
  EXPECT_EQ(fail(claim("test.dead").at(0).key), 1U);
  EXPECT_EQ(kDatabase->rows("select state, last_error, attempt from jobs where id = $1",
                            {std::to_string(id)}),
            (std::vector<SqlRow>{{"dead_letter", "the \"reason\"", "2"}}));
  EXPECT_TRUE(ask<bool>([&](Sql& sql) { return requeue_job(sql, id); }));
  EXPECT_EQ(claim("test.dead").at(0).key, (JobTry{id, 3}));
}

TEST(Jobs, ThatAreCancelledAreNotBegunAndNotEnded) {
  const auto waiting = put({.kind = "test.cancel"});
  EXPECT_TRUE(ask<bool>([&](Sql& sql) { return cancel_job(sql, waiting); }));
  EXPECT_TRUE(claim("test.cancel").empty());
  const auto running = put({.kind = "test.cancel"});
  const JobTry key = claim("test.cancel").at(0).key;
  EXPECT_TRUE(ask<bool>([&](Sql& sql) { return cancel_job(sql, running); }));
  EXPECT_EQ(finish(key), 0U);
  EXPECT_EQ(state_of(running), "cancelled");
  EXPECT_FALSE(ask<bool>([&](Sql& sql) { return cancel_job(sql, running); }));
}

TEST(Jobs, AreRefusedWhileTooManyWait) {
  put({.kind = "test.full"});
  ask<int>([](Sql& sql) { return sample_queue(sql, 0), 0; });
  const Status refused =
      kDatabase->transact_as(Principal::service(), [](pqxx::transaction_base& tx) {
        Sql sql(tx);
        enqueue(sql, {.kind = "test.full"});
        return ok();
      });
  ask<int>([](Sql& sql) { return sample_queue(sql, 1'000'000), 0; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  put({.kind = "test.full"});
}

TEST(Schedules, ComeOnceForAllTheTicksThatWereMissed) {
  const NewSchedule schedule{.name = "hourly", .cron = "0 * * * *", .kind = "test.hourly"};
  EXPECT_TRUE(ask<bool>([&](Sql& sql) { return static_cast<bool>(put_schedule(sql, schedule)); }));
  EXPECT_EQ(ask<std::size_t>(run_schedules), 0U);
  kDatabase->rows(
      "update job_schedules set next_at = now() - interval '3 hours' where name = 'hourly'");
  EXPECT_TRUE(ask<bool>([&](Sql& sql) { return static_cast<bool>(put_schedule(sql, schedule)); }));
  EXPECT_EQ(ask<std::size_t>(run_schedules), 1U);
  EXPECT_EQ(ask<std::size_t>(run_schedules), 0U);
  EXPECT_EQ(claim("test.hourly").size(), 1U);
  EXPECT_EQ(kDatabase->rows("select date_trunc('hour', now()) + interval '1 hour' = next_at"
                            " from job_schedules where name = 'hourly'"),
            (std::vector<SqlRow>{{"t"}}));
}

/// A runner in this process, on the tests' pool.
class Runner {
 public:
  explicit Runner(const JobRunner::Options& options)
      : runner_(
            options,
            {.database = kDatabase->pool(), .clock = clock_, .log = log_, .counters = counters_}) {}
  JobRunner& operator*() { return runner_; }
  JobRunner* operator->() { return &runner_; }
  std::string metrics() const { return counters_.render(); }

 private:
  SystemClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  JobRunner runner_;
};

TEST(JobRunner, HasFiveHundredJobsInFlightOnOneThread) {
  std::vector<JobDone> waiting;
  Mutex mutex;
  Runner runner({.poll_ms = 20});
  runner->handle("test.slow", [&](const Job&, JobDone done) {
    const MutexLock lock(mutex);
    waiting.push_back(std::move(done));
  });
  kDatabase->rows("insert into jobs (kind) select 'test.slow' from generate_series(1, 600)");
  runner->start();
  const auto count = [&] {
    const MutexLock lock(mutex);
    return waiting.size();
  };
  EXPECT_TRUE(test::poll_until([&] { return count() == 500; }));
  std::vector<JobDone> first;
  {
    const MutexLock lock(mutex);
    first.swap(waiting);
  }
  for (const JobDone& done : first)
    done({});
  EXPECT_TRUE(test::poll_until([&] { return count() == 100; }));
  for (const JobDone& done : waiting)
    done({});
  EXPECT_TRUE(test::poll_until(
      [] { return kDatabase->rows("select from jobs where kind = 'test.slow'").empty(); }));
}

TEST(JobRunner, TriesAgainWhatFailedAndBuriesWhatCannotSucceed) {
  std::atomic<int> tries{0};
  Runner runner({.poll_ms = 5, .backoff = {.base_ms = 1, .cap_ms = 5}});
  runner->handle("test.flaky", [&](const Job& job, const JobDone& done) {
    ++tries;
    if (job.key.attempt < 3) return done({.status = Error{ErrorCode::kUnavailable, "not yet"}});
    done({});
  });
  runner->handle("test.hopeless", [&](const Job&, const JobDone& done) {
    done({.status = Error{ErrorCode::kInvalidArgument, "never"}});
  });
  put({.kind = "test.flaky"});
  const auto hopeless = put({.kind = "test.hopeless"});
  runner->start();
  EXPECT_TRUE(test::poll_until([&] { return state_of(hopeless) == "dead_letter"; }));
  EXPECT_TRUE(test::poll_until(
      [] { return kDatabase->rows("select from jobs where kind = 'test.flaky'").empty(); }));
  EXPECT_EQ(tries.load(), 3);
}

TEST(JobRunner, TellsAJobThatItWasCancelledAndGivesBackWhatRunsAtItsEnd) {
  std::shared_ptr<const std::atomic<bool>> stop;
  std::atomic<int> begun{0};
  std::int64_t kept = 0;
  {
    Runner runner({.lease_ms = 60, .poll_ms = 5, .drain_ms = 1});
    runner->handle("test.endless", [&](const Job& job, const JobDone&) {
      if (begun++ == 0) stop = job.stop;
    });
    const auto cancelled = put({.kind = "test.endless"});
    runner->start();
    ASSERT_TRUE(test::poll_until([&] { return begun == 1; }));
    EXPECT_TRUE(ask<bool>([&](Sql& sql) { return cancel_job(sql, cancelled); }));
    EXPECT_TRUE(test::poll_until([&] { return stop->load(); }));
    kept = put({.kind = "test.endless"});
    ASSERT_TRUE(test::poll_until([&] { return begun == 2; }));
  }
  EXPECT_EQ(state_of(kept), "pending");
}

TEST(JobRunner, ShowsDepthLagAndPercentiles) {
  Runner runner({.poll_ms = 5, .sample_ms = 10});
  runner->handle("test.shown", [](const Job&, const JobDone& done) { done({}); });
  put({.kind = "test.unknown"});
  put({.kind = "test.shown"});
  runner->start();
  EXPECT_TRUE(test::poll_until([&] {
    const std::string text = runner.metrics();
    return text.find("qylon_jobs_done_total 1") != std::string::npos &&
           text.find("qylon_jobs{state=\"dead_letter\"}") != std::string::npos &&
           text.find("qylon_jobs_duration_ms{quantile=\"0.99\"}") != std::string::npos;
  }));
}

TEST(JobRunner, ThatIsKilledLosesNothingAndDoublesNothing) {
  constexpr int kJobs = 10'000;
  const Status made = kDatabase->transact_as_owner([](pqxx::transaction_base& transaction) {
    Sql sql(transaction);
    sql.run("create table counted (job bigint not null)");
    sql.run("grant select, insert on counted to service_role");
    return ok();
  });
  ASSERT_TRUE(made) << made.error().message;
  kDatabase->rows(
      "insert into jobs (kind) select 'test.count' from generate_series(1, $1::integer)",
      {std::to_string(kJobs)});
  const auto counted = [] {
    return std::stoi(kDatabase->rows("select count(*) from counted")[0][0].value());
  };
  {
    test::SpawnedProcess first({QYLON_JOBS_PROCESS, kDatabase->url()});
    ASSERT_TRUE(test::poll_until([&] { return counted() >= 1000; }));
    first.kill();
  }
  ASSERT_LT(counted(), kJobs);
  test::SpawnedProcess second({QYLON_JOBS_PROCESS, kDatabase->url()});
  EXPECT_TRUE(test::poll_until(
      [] { return kDatabase->rows("select from jobs where kind = 'test.count' limit 1").empty(); },
      std::chrono::seconds(90)));
  EXPECT_EQ(kDatabase->rows("select count(*), count(distinct job) from counted"),
            (std::vector<SqlRow>{{std::to_string(kJobs), std::to_string(kJobs)}}));
}

}  // namespace
}  // namespace qylon::api

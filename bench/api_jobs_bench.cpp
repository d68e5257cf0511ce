// Jobs a second through the runner, beside the plain SQL loop that a program without it would
// write: take one with SKIP LOCKED, do it, delete it, in four threads. Its own PostgreSQL, on the
// disk of the temporary directory, with fsync. Exit status 1 below the target of 5,000 a second.

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "api/core/job_runner.hpp"
#include "storage/sql.hpp"
#include "tests/support/private_database.hpp"

namespace qylon::api {
namespace {

constexpr int kJobs = 20'000;
constexpr int kPeerJobs = 2'000;
constexpr int kConnections = 4;
constexpr double kTarget = 5'000;

using Bench = test::PrivateDatabase;

bool transact(const Bench& bench, const std::function<void(storage::Sql&)>& body) {
  return static_cast<bool>(
      bench.transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
        storage::Sql sql(transaction);
        body(sql);
        return ok();
      }));
}

bool put(const Bench& bench, const std::string& kind, int count) {
  return transact(bench, [&](storage::Sql& sql) {
    sql.run("insert into jobs (kind) select $1 from generate_series(1, $2::integer)",
            {kind, std::to_string(count)});
  });
}

double seconds_since(const Bench& bench, std::int64_t started_us) {
  return static_cast<double>(bench.clock().monotonic_us() - started_us) * 1e-6;
}

/// CPU time of this process alone, which is what a job costs the server beside PostgreSQL.
double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double run_jobs(Bench& bench) {
  std::atomic<int> left{kJobs};
  std::promise<void> last;
  if (!put(bench, "bench.job", kJobs)) return 0;
  const double cpu_before = cpu_seconds();
  const std::int64_t started_us = bench.clock().monotonic_us();
  {
    JobRunner runner({},
                     {.database = bench.pool(),
                      .clock = bench.clock(),
                      .log = bench.log(),
                      .counters = bench.counters()});
    runner.handle("bench.job", [&](const Job&, const JobDone& done) {
      done({});
      if (--left == 0) last.set_value();
    });
    runner.start();
    last.get_future().wait();
  }  // The last ends are written.
  const double seconds = seconds_since(bench, started_us);
  std::printf("runner: %d jobs in %.2f s, %.0f us of our CPU time each\n",
              kJobs,
              seconds,
              (cpu_seconds() - cpu_before) * 1e6 / kJobs);
  return kJobs / seconds;
}

void peer_loop(storage::Session& session) {
  bool found = true;
  while (found) {
    const Status status = session.transact([&](pqxx::transaction_base& transaction) {
      storage::Sql sql(transaction);
      const auto row = sql.rows(
          "select id from jobs where state = 'pending' and kind = 'bench.peer'"
          " order by priority desc, run_at, id limit 1 for update skip locked");
      found = !row.empty();
      if (found) sql.run("delete from jobs where id = $1", {row[0][0]});
      return ok();
    });
    if (!status) return;
  }
}

double run_peer(const Bench& bench) {
  if (!put(bench, "bench.peer", kPeerJobs)) return 0;
  const std::int64_t started_us = bench.clock().monotonic_us();
  std::vector<std::promise<void>> ends(kConnections);
  for (auto& end : ends) {
    const bool taken = bench.pool().submit([&end](storage::Session& session) {
      peer_loop(session);
      end.set_value();
    });
    if (!taken) return 0;
  }
  for (auto& end : ends)
    end.get_future().wait();
  return kPeerJobs / seconds_since(bench, started_us);
}

int run() {
  Bench bench(std::filesystem::temp_directory_path());
  const Status started = bench.start({.url = {}, .connections = kConnections});
  if (!started) {
    std::fprintf(stderr, "%s\n", started.error().message.c_str());
    return 1;
  }
  const double ours = run_jobs(bench);
  const double peer = run_peer(bench);
  std::printf("runner %.0f jobs/s, plain SQL loop %.0f jobs/s, ratio %.1f; target %.0f jobs/s\n",
              ours,
              peer,
              peer > 0 ? ours / peer : 0,
              kTarget);
  return ours >= kTarget ? 0 : 1;
}

}  // namespace
}  // namespace qylon::api

int main() {
  return qylon::api::run();
}

#pragma once
/// Does what waits in the queue of jobs.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/core/job.hpp"
#include "api/core/job_store.hpp"
#include "core/backoff.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "storage/database.hpp"

namespace qylon::api {

/// A try whose effects are rows: `body` and the job's end are one transaction, so they happen once
/// or not at all. A late try is rolled back.
JobHandler in_transaction(storage::Database& database,
                          std::function<Status(storage::Sql&, const Job&)> body);

/// Claims due jobs in batches, hands them to the handlers of their kinds, and writes their ends in
/// batches. A job that runs is a slot, not a thread and not a connection.
///
/// Threads : handle() and schedule() before start(). One thread of its own,
///           on which handlers are called; its statements run on the database's threads.
/// Queue   : at most slots_max jobs in flight; the others wait in the table, where the gate closes
///           beyond depth_max.
/// Failure : a runner that dies loses its leases within lease_ms, then others do its jobs. A lost
///           PostgreSQL ends leases too; the ends of jobs are kept and written when it is back.
class JobRunner {
 public:
  struct Options {
    std::size_t slots_max = 500;
    std::size_t batch_max = 250;         ///< Claimed at once.
    std::int64_t lease_ms = 30'000;      ///< Renewed at a third.
    std::int64_t poll_ms = 250;          ///< Looks this often.
    std::int64_t sample_ms = 10'000;     ///< Depth and lag are counted this often.
    std::int64_t drain_ms = 10'000;      ///< What runs at the end has this long; then leases end.
    std::int64_t depth_max = 1'000'000;  ///< Beyond it enqueuing is refused.
    Backoff::Options backoff{.base_ms = 1000, .cap_ms = 900'000};  ///< Between tries.
  };
  struct Parts {
    storage::Database& database;
    const Clock& clock;
    const Log& log;
    Counters& counters;
  };

  JobRunner(const Options& options, const Parts& parts);
  /// Claims nothing more, waits for what runs, gives the rest back.
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;
  JobRunner(JobRunner&&) = delete;
  JobRunner& operator=(JobRunner&&) = delete;

  /// What does the jobs of `kind`.
  void handle(const std::string& kind, JobHandler handler);
  /// Stored at start. Errors: kInvalidArgument for a `cron` that cannot be read.
  Status schedule(NewSchedule schedule);
  void start();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qylon::api

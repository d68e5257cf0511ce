#pragma once
/// The queue's rows: everything that happens to a job is one statement here.
///
/// Threads: inside the body of a transaction as the server itself, except enqueue(), which works in
///          anybody's. What PostgreSQL refuses is thrown through that body.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/core/job.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

/// Puts `job` into the queue when the caller's transaction commits. Returns its id, or that of the
/// one with the same dedupe key. Errors: kUnavailable while too many jobs wait.
std::int64_t enqueue(storage::Sql& sql, const NewJob& job);

struct ClaimRequest {
  std::vector<std::string> kinds;
  std::size_t count = 0;
  std::int64_t lease_ms = 0;
};
/// Takes up to `count` due jobs of these kinds, the highest priority first, then the longest due.
/// Jobs that others are claiming now are passed over. `stop` is not set.
std::vector<Job> claim_jobs(storage::Sql& sql, const ClaimRequest& request);

/// Takes done jobs out of the queue. Returns how many: fewer than given means late tries.
std::size_t finish_jobs(storage::Sql& sql, const std::vector<JobTry>& tries);

struct FailedTry {
  JobTry key;
  std::string error;
  bool dead = false;
  std::int64_t wait_ms = 0;
};
/// Schedules the next try, or makes it a dead letter when it is `dead` or was the last one allowed.
std::size_t fail_jobs(storage::Sql& sql, const std::vector<FailedTry>& tries);

/// Prolongs the leases of `tries`; returns those that still hold theirs.
std::vector<JobTry> extend_leases(storage::Sql& sql,
                                  const std::vector<JobTry>& tries,
                                  std::int64_t lease_ms);
/// Gives up leases: the jobs are due again at once.
std::size_t release_jobs(storage::Sql& sql, const std::vector<JobTry>& tries);
/// Jobs whose lease has passed are due again, or dead letters after their last try. Returns how
/// many.
std::size_t reap_jobs(storage::Sql& sql);

/// Nobody begins it any more, and a try that runs is fenced. False when it is not in the queue.
bool cancel_job(storage::Sql& sql, std::int64_t id);
/// A dead letter is due again, with ten more tries. False when it is none.
bool requeue_job(storage::Sql& sql, std::int64_t id);
/// Drops dead letters that are older than 30 days and cancelled jobs older than a day.
std::size_t drop_ended_jobs(storage::Sql& sql);

inline constexpr std::array<std::string_view, 5> kJobStates{"pending",
                                                            "scheduled",
                                                            "processing",
                                                            "dead_letter",
                                                            "cancelled"};
struct QueueSample {
  std::array<std::int64_t, kJobStates.size()> depth{};  ///< Jobs by state.
  std::int64_t lag_ms = 0;                              ///< Of the longest due one.
};
/// Counts the queue, and closes its gate while more than `depth_max` jobs wait.
QueueSample sample_queue(storage::Sql& sql, std::int64_t depth_max);

/// A schedule that starts jobs; `name` is its identity over restarts.
struct NewSchedule {
  std::string name;
  std::string cron;  ///< See api/core/cron.hpp.
  std::string kind;
  std::string payload = "{}";
};
/// Errors: kInvalidArgument for a `cron` that cannot be read or never comes.
Status put_schedule(storage::Sql& sql, const NewSchedule& schedule);
/// Enqueues what the clock has made due; a schedule that missed several times comes once. Each tick
/// comes once among all servers. Returns how many.
std::size_t run_schedules(storage::Sql& sql);

}  // namespace qylon::api

#pragma once
/// A job: work that is done later, at least once, and at most once where its effects are rows.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/result.hpp"

namespace qylon::api {

/// What goes into the queue.
struct NewJob {
  std::string kind;            ///< "meeting.summarise": lower case, digits, '_' and '.'.
  std::string payload = "{}";  ///< JSON, at most 64 KiB.
  std::string org{};           ///< UUID of the organisation, or empty.
  int priority = 0;            ///< -100..100, higher first.
  std::optional<std::int64_t> run_at_ms{};  ///< Unix time, not before; none: at once.
  std::string dedupe{};   ///< Not empty: no second one while one of these waits or runs.
  int attempts_max = 10;  ///< 1..100; then it is a dead letter.
};

/// One try at a job. A later try fences it: what an earlier one still reports changes nothing.
struct JobTry {
  std::int64_t id = 0;
  int attempt = 0;  ///< 1 at first.

  bool operator==(const JobTry&) const = default;
};

/// A job as its handler gets it.
struct Job {
  JobTry key;
  int attempts_max = 1;
  std::string kind;
  std::string org;          ///< UUID, or empty.
  std::string payload;      ///< JSON.
  std::int64_t lag_ms = 0;  ///< How long it was due before it began.
  /// Turns true when the job was cancelled or its lease is lost: what is done from then on is in
  /// vain. Never null.
  std::shared_ptr<const std::atomic<bool>> stop;
};

/// How a try ended. Errors kInvalidArgument, kForbidden and kNotFound end the job as a dead letter,
/// every other one is tried again after a back-off.
struct JobOutcome {
  Status status = ok();
  std::int64_t retry_after_ms = 0;  ///< Not before; of the server that refused.
  bool settled = false;             ///< Its own transaction has taken it out of the queue.
};

/// Call it once, from any thread.
using JobDone = std::function<void(JobOutcome)>;
/// Begins a try and returns without blocking; `done` may come later. Called on the runner's thread.
using JobHandler = std::function<void(const Job&, JobDone)>;

}  // namespace qylon::api

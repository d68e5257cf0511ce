#pragma once
/// A Recogniser whose engine runs in worker processes.

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "core/sync.hpp"
#include "core/worker/pool.hpp"
#include "models/recogniser.hpp"
#include "models/worker/segment_store.hpp"
#include "models/worker/supervisor.hpp"

namespace qylon::models {

/// Cost    : push() converts to int16 and takes a lock once every 100 ms of audio.
/// Threads : as models/recogniser.hpp; one thread of its own, role `recogniser`.
class WorkerRecogniser final : public Recogniser {
 public:
  struct Options {
    RecogniserCaps caps;
    WorkerPool::Options pool;
    SegmentStore::Options store;
    Supervisor::Options supervisor;
  };
  struct Deps {
    const Log& log;
    Counters& counters;
    const Clock& clock;
  };

  /// Blocks until the model is loaded, at most pool.load_timeout_ms.
  /// Errors: kUnavailable with what the worker program said, kNotFound when it cannot be run.
  static Result<std::unique_ptr<WorkerRecogniser>> create(Options options, const Deps& deps);
  ~WorkerRecogniser() override;
  WorkerRecogniser(const WorkerRecogniser&) = delete;
  WorkerRecogniser& operator=(const WorkerRecogniser&) = delete;
  WorkerRecogniser(WorkerRecogniser&&) = delete;
  WorkerRecogniser& operator=(WorkerRecogniser&&) = delete;

  RecogniserCaps caps() const override { return options_.caps; }
  /// Speech of ended segments that is not answered yet.
  std::int64_t lag_ms() const override;
  std::unique_ptr<RecogniserSession> open(const RecogniserSessionOptions& options,
                                          std::shared_ptr<RecogniserSink> sink) override;

 private:
  WorkerRecogniser(Options options, const Deps& deps, int wake_fd);
  void run();
  void wake() const noexcept;
  void tell_start(const std::vector<PoolEvent>& events) QYLON_EXCLUDES(start_mutex_);
  Status wait_for_start() QYLON_EXCLUDES(start_mutex_);

  const Options options_;  // Constant after construction.
  const Deps deps_;
  const UniqueFd wake_fd_;
  std::shared_ptr<SegmentStore> store_;  // Shared with sessions, which may outlive us briefly.
  std::atomic<bool> stopping_{false};
  Mutex start_mutex_;
  Condition started_;
  bool start_known_ QYLON_GUARDED_BY(start_mutex_) = false;
  std::string start_failure_ QYLON_GUARDED_BY(start_mutex_);
  std::thread thread_;
};

}  // namespace qylon::models

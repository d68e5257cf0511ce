#pragma once
/// The server's side of the worker processes: starts, watches, feeds and ends them.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "core/worker/frame.hpp"
#include "core/worker/zygote_process.hpp"

namespace qylon {

using WorkerId = std::uint32_t;

struct PoolEvent {
  enum class Kind : std::uint8_t {
    kZygoteReady,   ///< Workers can be spawned.
    kZygoteFailed,  ///< It said why it cannot start: `text`. It is tried again after a pause.
    kFrame,         ///< A worker's frame; kReady is its first.
    kGone,          ///< A worker ended, crashed or broke the protocol; its id is never used again.
  };
  Kind kind{};
  WorkerId worker = 0;
  Frame frame;
  std::string text;
};

/// Threads : one thread for everything, from start to destruction: the zygote dies with it.
/// Bounds  : what waits to be sent to a worker is one segment, which the caller bounds. A lost
///           zygote is started again after 0.1 s, doubling to 10 s.
class WorkerPool {
 public:
  struct Options {
    std::string role;               ///< Names the workers in the log: "recogniser".
    std::string program;            ///< Executable to run.
    std::vector<std::string> args;  ///< Its words, from the hidden subcommand on.
    std::int64_t load_timeout_ms = 60'000;
  };
  WorkerPool(Options options, const Log& log, const Clock& clock)
      : options_(std::move(options)), log_(log), clock_(clock) {}
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  WorkerPool(WorkerPool&&) = delete;
  WorkerPool& operator=(WorkerPool&&) = delete;

  /// Sends what was queued, then waits up to `timeout_ms` for worker events or for `wake_fd` to
  /// become readable. Starts the zygote first when it is down and its pause is over.
  std::vector<PoolEvent> wait(int wake_fd, int timeout_ms);

  bool can_spawn() const noexcept { return state_ == State::kRunning; }
  /// Forks a worker; its kReady frame comes later. REQUIRES: can_spawn().
  Result<WorkerId> spawn();
  /// Ends a worker at once; no event follows.
  void kill(WorkerId worker);
  /// Queues a frame for the next wait(), so that those of one turn are one write. An unknown worker
  /// is ignored: its kGone is on its way.
  void send(WorkerId worker, FrameType type, std::string_view payload);

 private:
  enum class State : std::uint8_t { kDown, kLoading, kRunning };
  struct Link {
    UniqueFd socket;
    FrameReader reader;
    std::string outgoing;
  };

  void start_if_due(std::vector<PoolEvent>& events);
  int bounded_timeout_ms(int timeout_ms) const;
  void on_control(std::vector<PoolEvent>& events);
  void on_exited(std::string_view payload, std::vector<PoolEvent>& events);
  void lose_zygote(std::string reason, std::vector<PoolEvent>& events);
  void read_worker(WorkerId worker, std::vector<PoolEvent>& events);
  bool take_frames(WorkerId worker, Link& link, std::vector<PoolEvent>& events);
  void drop_worker(WorkerId worker, std::string reason, std::vector<PoolEvent>& events);
  static void flush(Link& link);
  void tell_zygote(FrameType type, WorkerId worker, int attached_fd);

  const Options options_;  // Constant after construction.
  const Log& log_;
  const Clock& clock_;
  State state_ = State::kDown;
  ZygoteProcess zygote_;
  std::map<WorkerId, Link> links_;
  std::set<WorkerId> ended_by_us_;
  WorkerId last_id_ = 0;
  std::int64_t next_start_us_ = 0;
  std::int64_t load_deadline_us_ = 0;
  std::int64_t pause_ms_ = 0;
};

}  // namespace qylon

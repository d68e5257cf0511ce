#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/sync.hpp"
#include "core/worker/pool.hpp"
#include "media/containers/stream.hpp"

namespace qylon::media {

/// Unpacks the tracks that come as streams of bytes, in processes that can do nothing else.
///
/// A worker that crashes, computes too long on a piece or hangs is replaced; its streams go on with
/// another one from the last place where a reader can begin, without loss or repetition. A piece
/// that is there when a worker is lost twice is left out, or its stream is refused.
///
/// Bounds  : Stream's; `streams_max` streams; one that nobody has fed for two minutes is forgotten.
/// Threads : attach() from any thread; one thread of its own has all workers.
class StreamService {
 public:
  struct Options {
    /// Runs the worker processes: its subcommand kStreamZygoteSubcommand.
    std::string program = "/proc/self/exe";
    int workers = 0;  ///< Processes; 0: one per core.
    std::size_t streams_max = 4096;
  };
  struct Deps {
    const Log& log;
    Counters& counters;
    const Clock& clock;
  };
  StreamService(const Options& options, const Deps& deps);
  ~StreamService();
  StreamService(const StreamService&) = delete;
  StreamService& operator=(const StreamService&) = delete;
  StreamService(StreamService&&) = delete;
  StreamService& operator=(StreamService&&) = delete;

  /// The connection's hold on the stream of `key`, which goes on if it is known. `open_track` opens
  /// the track behind; it may be called later, and more than once.
  /// Errors: kOverloaded when there are too many streams, kUnavailable when no worker starts.
  Result<std::shared_ptr<TrackUplink>> attach(const Stream::Key& key,
                                              const AudioFormat& declared,
                                              Stream::OpenTrack open_track);

 private:
  struct Worker {
    bool ready = false;
    int pid = 0;
    std::size_t streams = 0;
    std::deque<std::shared_ptr<Stream>> busy;  // In the order in which their pieces went out.
    std::int64_t since_us = 0;                 // The first of them, or the start, waits since then.
  };
  struct Inbox;
  class Handle;

  void run();
  void handle(const PoolEvent& event);
  void on_frame(WorkerId id, const Frame& frame);
  void on_ready(WorkerId id, std::string_view payload);
  bool on_stream_frame(Worker& worker, const Frame& frame);
  bool on_done(Worker& worker, std::string_view payload);
  void on_gone(WorkerId id, std::string_view how);
  void count_loss(Stream::Loss loss);
  void break_worker(WorkerId id, std::string_view how);
  void start_workers();
  void end_overdue();
  void pump(const std::shared_ptr<Stream>& stream);
  void pump_all();
  void assign(Stream& stream);
  void send_piece(const std::shared_ptr<Stream>& stream);
  void settle_detached(const std::shared_ptr<Stream>& stream);
  void forget(const std::shared_ptr<Stream>& stream);
  void gather() const;
  int sleep_ms() const;

  const Options options_;  // Constant after construction.
  const Deps deps_;
  Gauge& open_streams_;
  Counter& workers_lost_;
  Counter& quarantined_;
  Counter& refused_;
  const std::shared_ptr<Inbox> inbox_;  // Outlives this in the hands of tracks that are opened.
  std::atomic<bool> stopping_{false};

  // Owned by the thread.
  std::unique_ptr<WorkerPool> pool_;
  std::map<WorkerId, Worker> workers_;
  std::map<StreamId, std::shared_ptr<Stream>> streams_;
  std::vector<std::shared_ptr<Stream>> blocked_;  // The track behind was busy.
  std::int64_t next_sweep_us_ = 0;
  bool told_sandbox_ = false;

  std::jthread thread_;
};

}  // namespace qylon::media

#include "media/containers/stream_service.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "media/containers/sandbox.hpp"
#include "media/containers/stream_worker.hpp"

namespace qylon::media {
namespace {

constexpr int kRetryMs = 5;   // The track behind was busy.
constexpr int kWatchMs = 50;  // A worker has a piece.
constexpr int kSweepMs = 1000;
constexpr std::int64_t kGatherUsMax = 2000;
constexpr std::int64_t kGatherUsPerStream = 4;
constexpr std::int64_t kStuckUs = 150'000;      // Waits for something though it has a piece.
constexpr std::int64_t kOverdueUs = 2'000'000;  // Whatever it does; the machine may be busy.
constexpr std::int64_t kStartUsMax = 10'000'000;
constexpr std::int64_t kDetachedUsMax = 120'000'000;

WorkerPool::Options pool_options(const StreamService::Options& options) {
  return {.role = "streams", .program = options.program, .args = {kStreamZygoteSubcommand}};
}

StreamService::Options with_workers(StreamService::Options options) {
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  if (options.workers <= 0) options.workers = std::max(1, cores);
  return options;
}

}  // namespace

/// What other threads have for the service's.
struct StreamService::Inbox {
  Mutex mutex;
  std::vector<std::shared_ptr<Stream>> changed QYLON_GUARDED_BY(mutex);
  // Every stream by its key; the thread's own table is by id.
  std::vector<std::shared_ptr<Stream>> known QYLON_GUARDED_BY(mutex);
  StreamId last_id QYLON_GUARDED_BY(mutex) = 0;
  std::string failure QYLON_GUARDED_BY(mutex);  // Not empty: workers cannot be started.
  const UniqueFd wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

  void changed_now(const std::shared_ptr<Stream>& stream) {
    if (stream->queued.exchange(true)) return;
    bool is_first = false;
    {
      const MutexLock lock(mutex);
      is_first = changed.empty();
      changed.push_back(stream);
    }
    if (is_first) ring();  // Who takes the first one takes them all.
  }
  void ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake.get(), &one, sizeof one);
  }
};

/// One connection's hold on a stream.
class StreamService::Handle final : public TrackUplink {
 public:
  Handle(std::shared_ptr<Inbox> inbox, std::shared_ptr<Stream> stream)
      : inbox_(std::move(inbox)), stream_(std::move(stream)), owner_(stream_->attach()) {}
  ~Handle() override {
    stream_->detach(owner_);
    inbox_->changed_now(stream_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle(Handle&&) = delete;
  Handle& operator=(Handle&&) = delete;

  Posted post(UplinkFrame&& frame) override {
    const Posted posted = stream_->post(owner_, std::move(frame));
    if (posted == Posted::kAccepted) inbox_->changed_now(stream_);
    return posted;
  }
  Posted standing() const noexcept override { return stream_->standing(owner_); }
  std::string refusal() const override { return stream_->refusal(); }
  TrackId track() const noexcept override { return stream_->key().track; }
  std::uint64_t next_seq() const noexcept override { return stream_->next_seq(); }
  std::optional<std::uint64_t> durable_seq() const noexcept override {
    return stream_->durable_seq();
  }
  std::int64_t heard_ms() const noexcept override { return stream_->heard_ms(); }

 private:
  const std::shared_ptr<Inbox> inbox_;
  const std::shared_ptr<Stream> stream_;
  const std::uint64_t owner_;
};

StreamService::StreamService(const Options& options, const Deps& deps)
    : options_(with_workers(options)),
      deps_(deps),
      open_streams_(deps.counters.gauge("qylon_streams_open", "Tracks that come as streams.")),
      workers_lost_(deps.counters.counter("qylon_stream_workers_lost_total",
                                          "Processes that broke while they unpacked streams.")),
      quarantined_(deps.counters.counter("qylon_stream_pieces_quarantined_total",
                                         "Pieces of streams left out because they break workers.")),
      refused_(deps.counters.counter("qylon_streams_refused_total",
                                     "Streams that could not be unpacked.")),
      inbox_(std::make_shared<Inbox>()),
      thread_([this] { run(); }) {}

StreamService::~StreamService() {
  stopping_ = true;
  inbox_->ring();
  thread_.join();
}

Result<std::shared_ptr<TrackUplink>> StreamService::attach(const Stream::Key& key,
                                                           const AudioFormat& declared,
                                                           Stream::OpenTrack open_track) {
  std::shared_ptr<Stream> stream;
  std::shared_ptr<Handle> handle;
  {
    const MutexLock lock(inbox_->mutex);
    if (!inbox_->failure.empty())
      return Error{ErrorCode::kUnavailable, "streams cannot be unpacked: " + inbox_->failure};
    const auto found = std::ranges::find_if(
        inbox_->known, [&key](const auto& known) { return known->key() == key; });
    if (found != inbox_->known.end()) {
      stream = *found;
    } else if (inbox_->known.size() >= options_.streams_max) {
      return Error{ErrorCode::kOverloaded, "too many streams are open; try again later"};
    } else {
      stream = std::make_shared<Stream>(++inbox_->last_id, key, declared, std::move(open_track));
      inbox_->known.push_back(stream);
    }
    handle = std::make_shared<Handle>(inbox_, stream);
  }
  inbox_->changed_now(stream);
  return std::shared_ptr<TrackUplink>(std::move(handle));
}

// --- The thread ---

void StreamService::run() {
  ::pthread_setname_np(::pthread_self(), "streams");
  pool_ = std::make_unique<WorkerPool>(pool_options(options_), deps_.log, deps_.clock);
  while (!stopping_) {
    gather();
    const std::vector<PoolEvent> events = pool_->wait(inbox_->wake.get(), sleep_ms());
    std::uint64_t rings = 0;
    [[maybe_unused]] const ssize_t got = ::read(inbox_->wake.get(), &rings, sizeof rings);
    for (const PoolEvent& event : events)
      handle(event);
    start_workers();
    std::vector<std::shared_ptr<Stream>> changed = std::exchange(blocked_, {});
    {
      const MutexLock lock(inbox_->mutex);
      changed.insert(changed.end(), inbox_->changed.begin(), inbox_->changed.end());
      inbox_->changed.clear();
    }
    for (const auto& stream : changed) {
      stream->queued = false;
      streams_.try_emplace(stream->id(), stream);
      pump(stream);
    }
    end_overdue();
  }
  streams_.clear();
  pool_.reset();
}

// Waking up for each piece costs more than unpacking it. With 500 streams of ten pieces a second
// the packets come at most 4 ms later, and a turn has ten pieces.
void StreamService::gather() const {
  const auto streams = static_cast<std::int64_t>(streams_.size());
  const timespec pause{0, std::min(kGatherUsMax, kGatherUsPerStream * streams) * 1000};
  ::nanosleep(&pause, nullptr);
}

int StreamService::sleep_ms() const {
  if (!blocked_.empty()) return kRetryMs;
  const auto waits = [](const auto& entry) {
    return !entry.second.ready || !entry.second.busy.empty();
  };
  return std::ranges::any_of(workers_, waits) ? kWatchMs : kSweepMs;
}

void StreamService::handle(const PoolEvent& event) {
  switch (event.kind) {
    case PoolEvent::Kind::kZygoteReady:
    case PoolEvent::Kind::kZygoteFailed: {
      const MutexLock lock(inbox_->mutex);
      inbox_->failure = event.text;
      break;
    }
    case PoolEvent::Kind::kFrame:
      on_frame(event.worker, event.frame);
      break;
    case PoolEvent::Kind::kGone:
      on_gone(event.worker, event.text);
      break;
  }
}

void StreamService::start_workers() {
  while (pool_->can_spawn() && static_cast<int>(workers_.size()) < options_.workers) {
    const auto id = pool_->spawn();
    if (!id) return;  // No descriptors left; tried again at the next turn.
    workers_[*id].since_us = deps_.clock.monotonic_us();
  }
}

void StreamService::on_frame(WorkerId id, const Frame& frame) {
  const auto found = workers_.find(id);
  if (found == workers_.end()) return;
  if (frame.type == ControlFrame::kReady) return on_ready(id, frame.payload);
  if (!found->second.ready || !on_stream_frame(found->second, frame))
    break_worker(id, "it sent what nobody asked for");
}

void StreamService::on_ready(WorkerId id, std::string_view payload) {
  Worker& worker = workers_.at(id);
  WorkerReady ready;
  if (worker.ready || !parse_ready(payload, ready)) return break_worker(id, "it is not ready");
  if (ready.filtered && !is_filtered(ready.pid)) {
    deps_.log.error("streams_sandbox_missing", {{"pid", std::to_string(ready.pid)}});
    return break_worker(id, "the kernel does not filter its system calls");
  }
  if (!std::exchange(told_sandbox_, true)) {
    if (ready.filtered && ready.landlock_abi > 0) {
      deps_.log.info("streams_sandbox", {{"landlock_abi", std::to_string(ready.landlock_abi)}});
    } else {
      deps_.log.warn("streams_sandbox_degraded",
                     {{"landlock_abi", std::to_string(ready.landlock_abi)},
                      {"call_filter", ready.filtered ? "yes" : "no"}});
    }
  }
  worker.ready = true;
  worker.pid = ready.pid;
  pump_all();
}

/// False when the worker breaks the protocol.
bool StreamService::on_stream_frame(Worker& worker, const Frame& frame) {
  if (worker.busy.empty()) return false;
  Stream& stream = *worker.busy.front();  // Pieces are answered in the order in which they went.
  if (frame.type == StreamFrame::kFormat) {
    const auto format = parse_format(frame.payload);
    if (!format || format->stream != stream.id()) return false;
    stream.on_format(format->packets);
    return true;
  }
  if (frame.type == StreamFrame::kPackets) {
    const auto packets = parse_packets(frame.payload);
    if (!packets || packets->stream != stream.id()) return false;
    stream.on_packets(*packets);
    return true;
  }
  return frame.type == StreamFrame::kPieceDone && on_done(worker, frame.payload);
}

bool StreamService::on_done(Worker& worker, std::string_view payload) {
  const auto done = parse_done(payload);
  const std::shared_ptr<Stream> stream = worker.busy.front();
  if (!done || done->stream != stream->id()) return false;
  worker.busy.pop_front();
  worker.since_us = deps_.clock.monotonic_us();
  stream->on_done(*done);
  if (!done->trouble.empty()) refused_.add();
  pump(stream);
  return true;
}

void StreamService::on_gone(WorkerId id, std::string_view how) {
  const auto found = workers_.find(id);
  if (found == workers_.end()) return;
  workers_lost_.add();
  const std::shared_ptr<Stream> guilty =
      found->second.busy.empty() ? nullptr : found->second.busy.front();
  deps_.log.warn("stream_worker_gone",
                 {{"how", std::string(how)},
                  {"streams", std::to_string(found->second.streams)},
                  {"busy", guilty ? "yes" : "no"}});
  workers_.erase(found);
  for (const auto& [stream_id, stream] : streams_) {
    if (stream->worker == id) count_loss(stream->on_worker_lost(stream == guilty));
  }
  start_workers();
  pump_all();
}

void StreamService::count_loss(Stream::Loss loss) {
  if (loss == Stream::Loss::kQuarantined) quarantined_.add();
  if (loss == Stream::Loss::kRefused) refused_.add();
}

void StreamService::break_worker(WorkerId id, std::string_view how) {
  pool_->kill(id);
  on_gone(id, how);
}

void StreamService::end_overdue() {
  const std::int64_t now_us = deps_.clock.monotonic_us();
  std::vector<WorkerId> overdue;
  for (const auto& [id, worker] : workers_) {
    const std::int64_t waits_us = now_us - worker.since_us;
    if (!worker.ready) {
      if (waits_us > kStartUsMax) overdue.push_back(id);
    } else if (!worker.busy.empty() &&
               (waits_us > kOverdueUs || (waits_us > kStuckUs && is_sleeping(worker.pid)))) {
      overdue.push_back(id);
    }
  }
  for (const WorkerId id : overdue)
    break_worker(id, "it took too long");
  if (now_us < next_sweep_us_) return;
  next_sweep_us_ = now_us + kSweepMs * 1000;
  const auto all = streams_;
  for (const auto& [id, stream] : all)
    settle_detached(stream);
}

// --- Streams ---

void StreamService::pump_all() {
  const auto all = streams_;  // A stream that is over leaves the table.
  for (const auto& [id, stream] : all)
    pump(stream);
}

void StreamService::pump(const std::shared_ptr<Stream>& stream) {
  if (!stream->deliver()) {
    // One that is queued anyway comes back by itself.
    if (!stream->queued.exchange(true)) blocked_.push_back(stream);
    return;
  }
  stream->open_track([inbox = inbox_, stream](Result<std::shared_ptr<TrackUplink>> opened) {
    stream->on_track_opened(std::move(opened));
    inbox->changed_now(stream);
  });
  if (stream->worker == 0) assign(*stream);
  if (stream->worker != 0) send_piece(stream);
  settle_detached(stream);
}

void StreamService::assign(Stream& stream) {
  auto best = workers_.end();
  for (auto worker = workers_.begin(); worker != workers_.end(); ++worker) {
    if (!worker->second.ready) continue;
    if (best == workers_.end() || worker->second.streams < best->second.streams) best = worker;
  }
  if (best == workers_.end()) return;  // One that becomes ready takes it.
  ++best->second.streams;
  stream.worker = best->first;
}

void StreamService::send_piece(const std::shared_ptr<Stream>& stream) {
  const auto outgoing = stream->next_piece();
  if (!outgoing) return;
  Worker& worker = workers_.at(stream->worker);
  if (worker.busy.empty()) worker.since_us = deps_.clock.monotonic_us();
  worker.busy.push_back(stream);
  if (outgoing->open) pool_->send(stream->worker, StreamFrame::kOpen, encode_open(*outgoing->open));
  pool_->send(stream->worker, StreamFrame::kPiece, encode_piece(outgoing->piece));
}

void StreamService::settle_detached(const std::shared_ptr<Stream>& stream) {
  open_streams_.set(static_cast<std::int64_t>(streams_.size()));
  if (stream->attached()) {
    stream->detached_us = 0;
    return;
  }
  const std::int64_t now_us = deps_.clock.monotonic_us();
  if (stream->detached_us == 0) stream->detached_us = now_us;
  if (!stream->idle() && !stream->over()) return;
  stream->release_track();
  if (stream->over() || now_us - stream->detached_us > kDetachedUsMax) forget(stream);
}

void StreamService::forget(const std::shared_ptr<Stream>& stream) {
  {
    const MutexLock lock(inbox_->mutex);
    if (stream->attached()) return;  // Somebody came in this moment.
    std::erase(inbox_->known, stream);
  }
  streams_.erase(stream->id());
  const auto worker = workers_.find(stream->worker);
  if (worker == workers_.end()) return;
  --worker->second.streams;
  pool_->send(stream->worker, StreamFrame::kClose, encode_stream(stream->id()));
  stream->worker = 0;
}

}  // namespace qylon::media

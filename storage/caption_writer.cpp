#include "storage/caption_writer.hpp"

#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "core/check.hpp"
#include "core/sync.hpp"
#include "storage/meeting_store.hpp"

namespace qylon::storage {
namespace {

using std::chrono::milliseconds;

/// Runs `job` on a database thread and waits for it.
Status run_in(Database& database, std::function<Status(Session&)> job) {
  auto promise = std::make_shared<std::promise<Status>>();
  auto answer = promise->get_future();
  // The job is always run, also while the database goes down, so the wait ends.
  const bool taken = database.submit(
      [promise, job = std::move(job)](Session& session) { promise->set_value(job(session)); });
  if (!taken) return Error{ErrorCode::kOverloaded, "the database has too many jobs"};
  return answer.get();
}

Status store_with(Database& database, std::span<const CaptionPtr> captions) {
  return run_in(database,
                [captions](Session& session) { return append_captions(session, captions); });
}

}  // namespace

class CaptionWriter::Impl {
 public:
  Impl(const Options& options,
       Events events,
       Store store,
       const Log& log,
       Counters& counters,
       const Clock& clock)
      : options_(options),
        queue_(options.queue, std::move(events), std::move(store), log, counters, clock) {
    thread_ = std::thread([this] { run(); });
  }
  ~Impl() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  CaptionQueue& queue() noexcept { return queue_; }
  /// Something was put into the queue.
  void wake() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    changed_.notify_all();
  }

 private:
  void run() {
    bool last_failed = false;
    while (wait_for_work(last_failed)) {
      last_failed = !queue_.store_some();
      queue_.answer_flushes();
    }
    while (queue_.store_some() && !queue_.idle()) {
    }
    queue_.answer_flushes();
    queue_.refuse_flushes();
  }

  /// Waits until there is something to store; false when the writer is going.
  bool wait_for_work(bool after_failure) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (after_failure) {
      pause(milliseconds(options_.retry_interval_ms), [] { return false; });
      return !stopping_;
    }
    while (!stopping_ && queue_.idle() && !queue_.urgent())
      changed_.wait(mutex_);
    // Company for the first caption; who waits for a flush does not wait for that.
    pause(milliseconds(options_.batch_interval_ms), [this] { return queue_.urgent(); });
    return !stopping_;
  }

  /// Waits for `duration`, or until `enough` or the end.
  template <typename Enough>
  void pause(milliseconds duration, Enough enough) QYLON_REQUIRES(mutex_) {
    const auto end = std::chrono::steady_clock::now() + duration;
    while (!stopping_ && !enough()) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= std::chrono::steady_clock::duration::zero()) return;
      changed_.wait_for(mutex_, std::chrono::ceil<std::chrono::microseconds>(left));
    }
  }

  const Options options_;  // Constant after construction.
  CaptionQueue queue_;
  Mutex mutex_;  // Taken before the queue's.
  Condition changed_;
  bool stopping_ QYLON_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// NOLINTNEXTLINE(readability-function-size): what it works with, each once.
CaptionWriter::CaptionWriter(Options options,
                             Events events,
                             Database& database,
                             const Log& log,
                             Counters& counters,
                             const Clock& clock)
    : CaptionWriter(
          options,
          std::move(events),
          [&database](std::span<const CaptionPtr> batch) { return store_with(database, batch); },
          log,
          counters,
          clock) {
  database_ = &database;
}

// NOLINTNEXTLINE(readability-function-size)
CaptionWriter::CaptionWriter(Options options,
                             Events events,
                             Store store,
                             const Log& log,
                             Counters& counters,
                             const Clock& clock)
    : impl_(std::make_unique<Impl>(options,
                                   std::move(events),
                                   std::move(store),
                                   log,
                                   counters,
                                   clock)) {}

CaptionWriter::~CaptionWriter() = default;

bool reread_captions(const Journal& journal, const CaptionWriter::Sink& sink) {
  if (!journal.writable()) return false;
  read_unsettled_captions(journal.spool(), sink);
  return true;
}

void CaptionWriter::add(CaptionPtr caption) {
  impl_->queue().add(std::move(caption));
  impl_->wake();
}
void CaptionWriter::flush(std::function<void(Status)> done) {
  impl_->queue().flush(std::move(done));
  impl_->wake();
}
void CaptionWriter::add_row(std::function<Status(Session&)> row) {
  QYLON_CHECK(database_ != nullptr);
  impl_->queue().add_row(
      [database = database_, row = std::move(row)] { return run_in(*database, row); });
  impl_->wake();
}

}  // namespace qylon::storage

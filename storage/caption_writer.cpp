#include "storage/caption_writer.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <future>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/check.hpp"
#include "core/sync.hpp"
#include "storage/caption_record.hpp"
#include "storage/meeting_store.hpp"

namespace qylon::storage {
namespace {

using std::chrono::milliseconds;

/// What a caption keeps of memory, roughly: blocks of the allocator count half a line each.
std::size_t bytes_of(const Caption& caption) {
  std::size_t bytes = sizeof(Caption) + caption.text.size() + 64;
  for (const Word& word : caption.words)
    bytes += sizeof(Word) + word.text.size();
  return bytes;
}

/// The caption itself is at fault. Any other failure may pass, also one of our own making, as a
/// missing grant: then waiting is better than losing.
bool is_refusal(const Status& status) {
  return status.error().code == ErrorCode::kInvalidArgument ||
         status.error().code == ErrorCode::kNotFound;
}

Status store_with(Database& database, std::span<const CaptionPtr> captions) {
  auto promise = std::make_shared<std::promise<Status>>();
  auto stored = promise->get_future();
  // The job is always run, also while the database goes down, so the wait ends.
  const bool taken = database.submit([promise, captions](Session& session) {
    promise->set_value(append_captions(session, captions));
  });
  if (!taken) return Error{ErrorCode::kOverloaded, "the database has too many jobs"};
  return stored.get();
}

struct Waiting {
  CaptionPtr caption;
  std::uint64_t index;  // Of the add() call, from 1.
};

struct Flush {
  std::uint64_t index = 0;  // Everything up to this add() call.
  std::int64_t deadline_us = 0;
  std::function<void(Status)> done;
};

}  // namespace

class CaptionWriter::Impl {
 public:
  Impl(const Options& options,  // NOLINT(readability-function-size): the class's own list.
       Events events,
       Store store,
       const Log& log,
       Counters& counters,
       const Clock& clock)
      : options_(options),
        events_(std::move(events)),
        store_(std::move(store)),
        log_(log),
        clock_(clock),
        stored_(
            counters.counter("qylon_caption_writer_stored_total", "Captions handed to PostgreSQL")),
        spilled_(counters.counter("qylon_caption_writer_spilled_total",
                                  "Captions left to the journal because the queue was full")),
        refused_(counters.counter("qylon_caption_writer_refused_total",
                                  "Captions that PostgreSQL refused for good")),
        waiting_(counters.gauge("qylon_caption_writer_waiting", "Captions not stored yet")) {
    QYLON_CHECK(options_.batch_captions_max >= 1 && options_.captions_max >= 1);
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

  void add(CaptionPtr&& caption) QYLON_EXCLUDES(mutex_) {
    QYLON_CHECK(caption->offset.has_value());
    const std::size_t bytes = bytes_of(*caption);
    const MutexLock lock(mutex_);
    ++added_;
    // Once one was left out, all are until it has been read again: order is what makes the stored
    // offset of a meeting a promise about all before it.
    if (spilling_ || queue_.size() >= options_.captions_max ||
        queue_bytes_ + bytes > options_.bytes_max) {
      spilling_ = true;
      spilled_.add();
    } else {
      queue_.push_back({std::move(caption), added_});
      queue_bytes_ += bytes;
      waiting_.set(static_cast<std::int64_t>(queue_.size()));
    }
    changed_.notify_all();
  }

  void flush(std::function<void(Status)>&& done) QYLON_EXCLUDES(mutex_) {
    const std::int64_t deadline_us =
        clock_.monotonic_us() + std::int64_t{options_.flush_timeout_ms} * 1000;
    const MutexLock lock(mutex_);
    flushes_.push_back({added_, deadline_us, std::move(done)});
    changed_.notify_all();
  }

 private:
  void run() {
    bool last_failed = false;
    while (wait_for_work(last_failed)) {
      last_failed = !store_some();
      answer_flushes();
    }
    while (store_some() && !idle()) {
    }
    answer_flushes();
    refuse_flushes();
  }

  /// Waits until there is something to store; false when the writer is going.
  bool wait_for_work(bool after_failure) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (after_failure) {
      pause(milliseconds(options_.retry_interval_ms), [] { return false; });
      return !stopping_;
    }
    while (!stopping_ && queue_.empty() && !spilling_ && flushes_.empty())
      changed_.wait(mutex_);
    // Company for the first caption; who waits for a flush does not wait for that.
    pause(milliseconds(options_.batch_interval_ms), [this]() QYLON_REQUIRES(mutex_) {
      return !flushes_.empty() || queue_.size() >= options_.batch_captions_max;
    });
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

  bool idle() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return queue_.empty() && !spilling_;
  }

  /// One batch, or what was spilled. False when it must be tried again.
  bool store_some() {
    const std::vector<CaptionPtr> batch = front_of_queue();
    if (batch.empty()) return store_spilled();
    const std::size_t done = store_batch(batch);
    pop(done);
    return done == batch.size();
  }

  std::vector<CaptionPtr> front_of_queue() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const std::size_t count = std::min(queue_.size(), options_.batch_captions_max);
    std::vector<CaptionPtr> batch;
    batch.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      batch.push_back(queue_[i].caption);
    return batch;
  }

  void pop(std::size_t count) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    for (; count > 0; --count) {
      done_ = queue_.front().index;
      queue_bytes_ -= bytes_of(*queue_.front().caption);
      queue_.pop_front();
    }
    waiting_.set(static_cast<std::int64_t>(queue_.size()));
  }

  /// How many from the front are settled: stored, or refused for good.
  std::size_t store_batch(std::span<const CaptionPtr> batch) {
    const Status status = store_(batch);
    if (status) {
      stored_.add(batch.size());
      announce(batch);
      return batch.size();
    }
    if (!is_refusal(status)) return 0;
    if (batch.size() == 1) {
      refuse(*batch.front(), status.error());
      announce(batch);
      return 1;
    }
    // Halves find the culprits in few steps, and keep the order.
    const std::size_t half = batch.size() / 2;
    const std::size_t first = store_batch(batch.first(half));
    return first < half ? first : half + store_batch(batch.subspan(half));
  }

  void refuse(const Caption& caption, const Error& error) {
    refused_.add();
    log_.error("caption_refused",
               {{"meeting", caption.meeting.to_string()},
                {"offset", std::to_string(*caption.offset)},
                {"message", error.message}});
  }

  void announce(std::span<const CaptionPtr> batch) {
    if (!events_.on_stored) return;
    std::unordered_map<MeetingId, std::uint64_t> last;
    for (const CaptionPtr& caption : batch) {
      std::uint64_t& offset = last[caption->meeting];
      offset = std::max(offset, *caption->offset);
    }
    for (const auto& [meeting, offset] : last)
      events_.on_stored(meeting, offset);
  }

  /// REQUIRES: the queue was empty, so that everything before the spilled ones is stored.
  bool store_spilled() QYLON_EXCLUDES(mutex_) {
    std::uint64_t target = 0;
    {
      const MutexLock lock(mutex_);
      if (!queue_.empty()) return true;  // Arrived meanwhile: first things first.
      if (!spilling_) {
        done_ = added_;
        return true;
      }
      // From here on new ones are kept again; they wait in the queue until this is over.
      spilling_ = false;
      target = added_;
    }
    const bool complete = reread_journal();
    const MutexLock lock(mutex_);
    if (complete) {
      done_ = target;
      return true;
    }
    // What was queued meanwhile must not overtake: it is in the journal too.
    spilling_ = true;
    spilled_.add(queue_.size());
    queue_.clear();
    queue_bytes_ = 0;
    return false;
  }

  bool reread_journal() {
    std::vector<CaptionPtr> batch;
    bool failed = !events_.reread;
    const auto store_and_clear = [&] {
      failed = failed || store_batch(batch) < batch.size();
      batch.clear();
    };
    if (failed) return false;
    events_.reread([&](CaptionPtr caption) {
      if (failed) return;
      batch.push_back(std::move(caption));
      if (batch.size() >= options_.batch_captions_max) store_and_clear();
    });
    if (!batch.empty()) store_and_clear();
    return !failed;
  }

  void answer_flushes() QYLON_EXCLUDES(mutex_) {
    const std::int64_t now_us = clock_.monotonic_us();
    while (true) {
      Flush flush;
      bool stored = false;
      {
        const MutexLock lock(mutex_);
        if (flushes_.empty()) return;
        stored = flushes_.front().index <= done_;
        if (!stored && now_us < flushes_.front().deadline_us) return;
        flush = std::move(flushes_.front());
        flushes_.pop_front();
      }
      flush.done(stored ? ok() : not_stored());
    }
  }

  void refuse_flushes() QYLON_EXCLUDES(mutex_) {
    std::deque<Flush> left;
    {
      const MutexLock lock(mutex_);
      left.swap(flushes_);
    }
    for (Flush& flush : left)
      flush.done(not_stored());
  }
  static Status not_stored() {
    return Error{ErrorCode::kUnavailable,
                 "the database is away; the captions are safe and will be stored later"};
  }

  const Options options_;  // Constant after construction, like the next three.
  const Events events_;
  const Store store_;
  const Log& log_;
  const Clock& clock_;
  Counter& stored_;
  Counter& spilled_;
  Counter& refused_;
  Gauge& waiting_;
  Mutex mutex_;
  Condition changed_;
  std::deque<Waiting> queue_ QYLON_GUARDED_BY(mutex_);
  std::size_t queue_bytes_ QYLON_GUARDED_BY(mutex_) = 0;
  std::uint64_t added_ QYLON_GUARDED_BY(mutex_) = 0;
  std::uint64_t done_ QYLON_GUARDED_BY(mutex_) = 0;  // Every add() up to this one is stored.
  bool spilling_ QYLON_GUARDED_BY(mutex_) = false;
  bool stopping_ QYLON_GUARDED_BY(mutex_) = false;
  std::deque<Flush> flushes_ QYLON_GUARDED_BY(mutex_);
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
          clock) {}

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

void CaptionWriter::add(CaptionPtr caption) {
  impl_->add(std::move(caption));
}
void CaptionWriter::flush(std::function<void(Status)> done) {
  impl_->flush(std::move(done));
}

void read_unsettled_captions(const Spool& spool, const CaptionWriter::Sink& sink) {
  spool.read_unsettled([&sink](const Record& record) {
    auto caption = parse_caption_record(record);
    if (caption) sink(std::make_shared<const Caption>(std::move(*caption)));
    return true;
  });
}

}  // namespace qylon::storage

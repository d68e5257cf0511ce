#include "storage/journal.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/bounded_queue.hpp"
#include "core/sync.hpp"
#include "storage/segment_shelf.hpp"

namespace qylon::storage {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t kGroupRecordsMax = 8192;
constexpr std::size_t kGroupBytesMax = 4 << 20;
constexpr milliseconds kIdleInterval{1000};
constexpr std::int64_t kExpireIntervalUs = 1'000'000;

struct Item {
  Record record;
  Journal::Synced synced;
};

Status check(const Journal::Options& options) {
  const auto bad = [](const char* what) { return Error{ErrorCode::kInvalidArgument, what}; };
  if (options.sync_interval_ms < 0 || options.sync_interval_ms > 1000)
    return bad("sync_interval_ms must be in 0..1000");
  if (options.segment_bytes < (1U << 20) ||
      options.segment_bytes > static_cast<std::size_t>(kSegmentFileBytesMax))
    return bad("segment_bytes must be in 1 MiB..1 GiB");
  if (options.queue_records_max < 1) return bad("queue_records_max must be at least 1");
  if (options.bytes_max < 2 * static_cast<std::int64_t>(options.segment_bytes))
    return bad("bytes_max must be at least two segments");
  if (options.retry_interval_ms < 1) return bad("retry_interval_ms must be at least 1");
  return ok();
}

void note_caption(const Record& record, SegmentSummary& summary) {
  if (record.type != RecordType::kCaption) return;
  std::uint64_t& last = summary.captions[record.meeting];
  last = std::max(last, record.seq);
}

/// The segment that is being written.
struct OpenSegment {
  std::unique_ptr<SpoolFile> file;
  SegmentSummary summary;
  std::uint32_t seed = 0;
  std::size_t used_bytes = 0;  // With what waits in the buffer.
};

}  // namespace

class Journal::Impl {
 public:
  Impl(Options options,
       std::unique_ptr<SpoolDisk> disk,
       const Log& log,
       Counters& counters,
       const Clock& clock)
      : options_(std::move(options)),
        log_(log),
        clock_(clock),
        records_(counters.counter("qylon_journal_records_total", "Records made durable")),
        refused_(counters.counter("qylon_journal_refused_total",
                                  "Records refused: queue full or too large")),
        failed_(counters.counter("qylon_journal_failed_total",
                                 "Records that could not be made durable")),
        abandoned_(counters.counter("qylon_journal_segments_abandoned_total",
                                    "Segments given up after a failed write or sync")),
        bytes_(counters.gauge("qylon_journal_bytes", "Size of all segments")),
        sync_seconds_(counters.histogram("qylon_journal_group_seconds",
                                         "Time to write and sync one group",
                                         {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3})),
        epoch_(Uuid::random()),
        disk_(std::move(disk)),
        queue_(options_.queue_records_max) {}
  ~Impl() {
    queue_.close();
    if (thread_.joinable()) thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  /// Learns what lies in the directory, then starts the thread.
  Status start() {
    const auto numbers = disk_->list();
    if (!numbers) return numbers.error();
    for (const std::uint64_t number : *numbers) {
      // What cannot be read now is never deleted: somebody may still save it.
      if (const Status known = shelve_existing(number); !known)
        log_.error("journal_segment_unreadable", {{"message", known.error().message}});
    }
    next_number_ = numbers->empty() ? 1 : numbers->back() + 1;
    thread_ = std::thread([this] { run(); });
    return ok();
  }

  bool append(Record&& record, Synced&& synced) {
    const bool taken = record.payload.size() <= kRecordPayloadBytesMax &&
                       queue_.try_push(Item{std::move(record), std::move(synced)});
    if (!taken) refused_.add();
    return taken;
  }

  void settle(MeetingId meeting, std::uint64_t offset) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    std::uint64_t& last = settled_[meeting];
    last = std::max(last, offset);
  }

  bool writable() const noexcept { return writable_.load(std::memory_order_acquire); }

 private:
  // --- Before the thread runs. ---

  Status shelve_existing(std::uint64_t number) {
    const auto bytes = disk_->read(number);
    if (!bytes) return bytes.error();
    SegmentSummary summary;
    summary.number = number;
    summary.bytes = static_cast<std::int64_t>(bytes->size());
    summary.closed_us = clock_.monotonic_us();
    const ScanReport report =
        scan_segment(*bytes, [&summary](const Record& record) { note_caption(record, summary); });
    if (report.records == 0) return disk_->remove(number);
    shelf_.add(std::move(summary));
    return ok();
  }

  // --- The journal's thread from here on. ---

  void run() {
    std::vector<Item> group;
    while (true) {
      auto first = queue_.pop_for(writable() ? kIdleInterval : retry_interval());
      if (!first && queue_.closed()) break;
      if (first) {
        group.push_back(std::move(*first));
        collect(group);
        finish(group);
        group.clear();
      } else if (!writable()) {
        recover();
      }
      expire();
    }
    close_segment();
  }

  milliseconds retry_interval() const { return milliseconds(options_.retry_interval_ms); }

  /// Adds what arrives until the interval since the last sync has passed.
  void collect(std::vector<Item>& group) {
    const auto deadline = last_sync_ + milliseconds(options_.sync_interval_ms);
    std::size_t bytes = record_bytes(group.front().record.payload.size());
    while (group.size() < kGroupRecordsMax && bytes < kGroupBytesMax) {
      const auto left = deadline - SteadyClock::now();
      auto item = left > SteadyClock::duration::zero()
                      ? queue_.pop_for(std::chrono::ceil<microseconds>(left))
                      : queue_.try_pop();
      if (!item) return;
      bytes += record_bytes(item->record.payload.size());
      group.push_back(std::move(*item));
    }
  }

  void finish(std::vector<Item>& group) {
    const std::int64_t start_us = clock_.monotonic_us();
    const bool durable = write_group(group);
    last_sync_ = SteadyClock::now();
    sync_seconds_.observe(static_cast<double>(clock_.monotonic_us() - start_us) * 1e-6);
    (durable ? records_ : failed_).add(group.size());
    set_writable(durable);
    for (Item& item : group) {
      if (item.synced) item.synced(durable);
    }
  }

  /// Once more, to a new segment, when the present one fails: after an error the kernel may have
  /// dropped the dirty pages, so that a second fdatasync of the same file would lie.
  /// Source: "Can Applications Recover from fsync Failures?", Rebello et al., USENIX ATC 2020.
  bool write_group(const std::vector<Item>& group) { return try_write(group) || try_write(group); }

  bool try_write(const std::vector<Item>& group) {
    buffer_.clear();
    for (const Item& item : group) {
      const std::size_t bytes = record_bytes(item.record.payload.size());
      if (segment_ && segment_->used_bytes + bytes > options_.segment_bytes) {
        if (!flush_and_sync()) return false;
        close_segment();
      }
      if (!segment_ && !open_segment()) return false;
      encode_record(item.record, segment_->seed, buffer_);
      segment_->used_bytes += bytes;
      note_caption(item.record, segment_->summary);
    }
    return flush_and_sync();
  }

  bool flush_and_sync() {
    Status status = segment_->file->write(buffer_);
    if (status) status = segment_->file->sync();
    buffer_.clear();
    if (!status) abandon_segment(status.error());
    return static_cast<bool>(status);
  }

  bool open_segment() {
    if (clock_.monotonic_us() < retry_at_us_) return false;
    const Status opened = try_open_segment();
    if (opened) return true;
    retry_at_us_ = clock_.monotonic_us() + std::int64_t{options_.retry_interval_ms} * 1000;
    if (writable()) log_.error("journal_blocked", {{"message", opened.error().message}});
    return false;
  }

  Status try_open_segment() {
    if (Status room = make_room(); !room) return room;
    const std::uint64_t number = next_number_++;
    auto file = disk_->create(number, options_.segment_bytes);
    if (!file) return file.error();
    const SegmentHeader header{epoch_, number, clock_.wall_us()};
    OpenSegment segment;
    segment.file = std::move(*file);
    segment.summary.number = number;
    segment.seed = header.seed();
    segment.used_bytes = kSegmentHeaderBytes;
    segment_ = std::move(segment);
    Status written = segment_->file->write(encode_segment_header(header));
    if (!written) abandon_segment(written.error());
    bytes_.set(shelf_.bytes() + static_cast<std::int64_t>(options_.segment_bytes));
    return written;
  }

  /// Deletes settled segments, oldest first, until another one fits.
  Status make_room() {
    const auto segment_bytes = static_cast<std::int64_t>(options_.segment_bytes);
    while (true) {
      const auto free = disk_->free_bytes();
      if (!free) return free.error();
      const bool fits = shelf_.bytes() + segment_bytes <= options_.bytes_max;
      if (fits && *free - segment_bytes >= options_.free_bytes_min) return ok();
      const auto oldest = take_oldest_settled();
      if (!oldest)
        return Error{ErrorCode::kUnavailable,
                     fits ? "the disk is nearly full: " + std::to_string(*free) + " bytes free"
                          : "full of captions that PostgreSQL has not taken"};
      if (Status removed = disk_->remove(*oldest); !removed) return removed;
    }
  }

  std::optional<std::uint64_t> take_oldest_settled() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return shelf_.take_oldest_settled(settled_);
  }

  void close_segment() {
    if (!segment_) return;
    segment_->summary.bytes = static_cast<std::int64_t>(segment_->used_bytes);
    shelve_segment();
  }
  void abandon_segment(const Error& error) {
    abandoned_.add();
    log_.error("journal_segment_abandoned", {{"message", error.message}});
    segment_->summary.bytes = static_cast<std::int64_t>(options_.segment_bytes);
    shelve_segment();
  }
  void shelve_segment() {
    segment_->summary.closed_us = clock_.monotonic_us();
    shelf_.add(std::move(segment_->summary));
    segment_.reset();
  }

  /// Nobody may append while appends fail, so the journal finds out by itself.
  void recover() {
    if (!segment_ && !open_segment()) return;
    if (flush_and_sync()) set_writable(true);
  }

  void set_writable(bool writable) {
    const bool before = writable_.exchange(writable, std::memory_order_acq_rel);
    if (!before && writable) log_.info("journal_writable");
    if (before && !writable) log_.error("journal_not_writable");
  }

  void expire() QYLON_EXCLUDES(mutex_) {
    const std::int64_t now_us = clock_.monotonic_us();
    if (now_us - expired_at_us_ < kExpireIntervalUs) return;
    expired_at_us_ = now_us;
    std::vector<std::uint64_t> expired;
    {
      const MutexLock lock(mutex_);
      expired = shelf_.take_expired(settled_, now_us - options_.audio_keep_ms * 1000);
      std::erase_if(settled_, [this](const auto& last) {
        return !shelf_.mentions(last.first) &&
               !(segment_ && segment_->summary.captions.contains(last.first));
      });
    }
    for (const std::uint64_t number : expired) {
      if (const Status removed = disk_->remove(number); !removed)
        log_.warn("journal_remove_failed", {{"message", removed.error().message}});
    }
    bytes_.set(shelf_.bytes() + (segment_ ? static_cast<std::int64_t>(options_.segment_bytes) : 0));
  }

  const Options options_;  // Constant after construction, like the next ones up to epoch_.
  const Log& log_;
  const Clock& clock_;
  Counter& records_;
  Counter& refused_;
  Counter& failed_;
  Counter& abandoned_;
  Gauge& bytes_;
  Histogram& sync_seconds_;
  const Uuid epoch_;
  // Owned by the journal's thread once it runs.
  std::unique_ptr<SpoolDisk> disk_;
  SegmentShelf shelf_;
  std::optional<OpenSegment> segment_;
  std::vector<std::uint8_t> buffer_;
  std::uint64_t next_number_ = 1;
  std::int64_t retry_at_us_ = 0;
  std::int64_t expired_at_us_ = 0;
  SteadyClock::time_point last_sync_{};

  std::atomic<bool> writable_{true};
  Mutex mutex_;
  SettledOffsets settled_ QYLON_GUARDED_BY(mutex_);
  BoundedQueue<Item> queue_;
  std::thread thread_;
};

Result<std::unique_ptr<Journal>> Journal::open(Options options,
                                               const Log& log,
                                               Counters& counters,
                                               const Clock& clock) {
  if (const Status valid = check(options); !valid) return valid.error();
  auto disk = open_spool_disk(options.dir);
  if (!disk) return disk.error();
  return open(std::move(options), std::move(*disk), log, counters, clock);
}

Result<std::unique_ptr<Journal>> Journal::open(Options options,
                                               std::unique_ptr<SpoolDisk> disk,
                                               const Log& log,
                                               Counters& counters,
                                               const Clock& clock) {
  if (const Status valid = check(options); !valid) return valid.error();
  auto impl = std::make_unique<Impl>(std::move(options), std::move(disk), log, counters, clock);
  if (const Status started = impl->start(); !started) return started.error();
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::~Journal() = default;

Result<ReplayReport> Journal::replay(const std::string& dir,
                                     const std::function<void(const Record&)>& on_record) {
  const auto numbers = list_segments(dir);
  if (!numbers) return numbers.error();
  ReplayReport report;
  for (const std::uint64_t number : *numbers) {
    ++report.segments;
    const auto bytes = read_segment(dir, number);
    if (!bytes || !decode_segment_header(*bytes)) ++report.segments_unreadable;
    if (!bytes) continue;  // Perhaps deleted meanwhile by the journal that is open.
    const ScanReport scanned = scan_segment(*bytes, on_record);
    report.records += scanned.records;
    report.corrupt_ranges += scanned.corrupt_ranges;
    report.bytes_cut += scanned.bytes_cut;
  }
  return report;
}

bool Journal::append(Record record, Synced synced) {
  return impl_->append(std::move(record), std::move(synced));
}
void Journal::settle(MeetingId meeting, std::uint64_t offset) {
  impl_->settle(meeting, offset);
}
bool Journal::writable() const noexcept {
  return impl_->writable();
}

}  // namespace qylon::storage

#pragma once
/// The journal without its thread: segments on a disk, written in groups and read by meeting.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/ids.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "core/sync.hpp"
#include "storage/journal_record.hpp"
#include "storage/meeting_keys.hpp"
#include "storage/segment_shelf.hpp"
#include "storage/segment_writer.hpp"
#include "storage/spool_disk.hpp"

namespace qylon::storage {

/// A record on its way to the disk.
struct SpoolItem {
  Record record;
  /// True: on disk. False: not yet; true may still follow. Not called again after true.
  std::function<void(bool durable)> synced;
  bool refused = false;  ///< `synced` was called with false.
};

/// Preallocated segments, one of them open for writing.
///
/// Records are at least once: what a failed sync left in doubt is written again to a new segment
/// (never to the same file, whose dirty pages the kernel may have dropped), so a reader can meet
/// one twice. Readers are idempotent by (meeting, track, seq).
///
/// Threads : open(), write(), tidy() and close() on one thread; the others on any.
/// Keeping : a full segment goes when every caption in it is settled and it is older than
///           audio_keep_ms; the oldest settled ones go earlier, from two minutes on, when the
///           segments would exceed bytes_max or the disk is nearly full. Captions that are not
///           settled, and audio of the last two minutes, which may have no final yet, are never
///           deleted: when they alone fill bytes_max, or the disk has less than free_bytes_min,
///           writes fail until there is room.
/// Sealing : with keys each payload is sealed with its meeting's (MeetingKeys), which goes when the
///           last segment that holds anything of the meeting does.
class Spool {
 public:
  struct Options {
    std::size_t segment_bytes = 16 << 20;            ///< 1 MiB..1 GiB.
    std::int64_t free_bytes_min = 256 << 20;         ///< Less free on the disk: nothing is written.
    std::int64_t stream_free_bytes_min = 2LL << 30;  ///< Less free: no new streams.
    int stream_free_percent_min = 10;                ///< The same in percent; the greater counts.
    std::int64_t bytes_max = 4LL << 30;              ///< Of all segments; at least two segments.
    std::int64_t audio_keep_ms = 10 * 60'000;        ///< How long audio stays for recovery.
    int retry_interval_ms = 500;                     ///< Between attempts while the disk refuses.
  };
  /// False ends the reading.
  using OnRecord = std::function<bool(const Record&)>;

  /// `keys`, which may be null, seal what is written from now on; they must outlive the spool.
  Spool(const Options& options,
        std::unique_ptr<SpoolDisk> disk,
        MeetingKeys* keys,
        const Log& log,
        Counters& counters,
        const Clock& clock);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  Spool(Spool&&) = delete;
  Spool& operator=(Spool&&) = delete;

  /// Learns what lies on the disk and syncs it: a process that was killed leaves what it had not
  /// synced in the kernel's memory, where reading finds it. Damage is logged and counted, never
  /// deleted.
  /// Errors: kInvalidArgument option out of range; kUnavailable the disk cannot be listed.
  Status open();
  /// Writes and syncs the group, once more to a new segment when the present one fails.
  /// True: all of it is on disk. Source of never syncing a file again after an error: "Can
  /// Applications Recover from fsync Failures?", Rebello et al., USENIX ATC 2020.
  bool write(std::span<const SpoolItem> group);
  /// Measures the free space and deletes what may go. Cheap when called more often than once a
  /// second: then it does nothing.
  void tidy();
  void close();

  /// Every caption of `meeting` up to `offset` is in PostgreSQL.
  void settle(MeetingId meeting, std::uint64_t offset) QYLON_EXCLUDES(mutex_);
  /// The disk has room for new streams; see Options. Those that run go on.
  bool roomy() const noexcept { return roomy_.load(std::memory_order_acquire); }

  /// Highest caption offset of the meeting in the spool, 0 without any.
  std::uint64_t last_caption(MeetingId meeting) const QYLON_EXCLUDES(mutex_);
  /// The meeting's frames in the order of writing, some perhaps twice.
  void read_audio(MeetingId meeting, const OnRecord& on_record) const;
  /// The meeting's captions beyond `after` in the order of writing, some perhaps twice.
  void read_captions(MeetingId meeting, std::uint64_t after, const OnRecord& on_record) const;
  /// Captions of every meeting that are not settled, by meeting, else as above.
  void read_unsettled(const OnRecord& on_record) const;

 private:
  Status check_options() const;
  void shelve_existing(std::uint64_t number, ScanReport& total);
  Status copy_doubtful() QYLON_EXCLUDES(mutex_);
  Status copy(std::uint64_t number) QYLON_EXCLUDES(mutex_);
  bool try_write(std::span<const SpoolItem> group);
  Status make_keys(std::span<const SpoolItem> group);
  bool flush_and_sync();
  void rest() QYLON_EXCLUDES(mutex_);
  bool open_segment();
  Status try_open_segment();
  Status make_room();
  std::optional<std::uint64_t> take_oldest_settled() QYLON_EXCLUDES(mutex_);
  void shelve_segment(std::size_t bytes) QYLON_EXCLUDES(mutex_);
  void measure_room();
  void remove(const std::vector<std::uint64_t>& numbers);
  void forget_keys() QYLON_EXCLUDES(mutex_);
  bool unseal(Record& record) const;
  void remove_expired(std::int64_t now_us) QYLON_EXCLUDES(mutex_);
  void read(std::span<const Place> places,
            MeetingId meeting,
            bool audio,
            const OnRecord& on_record) const;

  const Options options_;  // Constant after construction, like the next ones up to epoch_.
  const Log& log_;
  const Clock& clock_;
  Counter& abandoned_;
  Counter& corrupt_;
  Counter& unreadable_;
  Gauge& bytes_;
  Gauge& free_bytes_;
  const Uuid epoch_;
  // Owned by the writing thread; the disk's read() is for all.
  const std::unique_ptr<SpoolDisk> disk_;
  MeetingKeys* const keys_;
  std::optional<SegmentWriter> segment_;
  std::deque<std::uint64_t> doubtful_;  // Segments of earlier processes that did not sync.
  std::uint64_t next_number_ = 1;
  std::int64_t retry_at_us_ = 0;
  std::int64_t tidied_at_us_ = 0;
  bool blocked_ = false;  // Said so in the log.

  std::atomic<bool> roomy_{true};
  mutable Mutex mutex_;
  SegmentShelf shelf_ QYLON_GUARDED_BY(mutex_);  // Of what is on disk, never of what is in doubt.
  SettledOffsets settled_ QYLON_GUARDED_BY(mutex_);
};

}  // namespace qylon::storage

#pragma once
/// The write-ahead spool: what it has called durable survives kill -9 and power loss.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/ids.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "storage/journal_record.hpp"
#include "storage/spool_disk.hpp"

namespace qylon::storage {

struct ReplayReport {
  std::size_t segments = 0;
  std::size_t segments_unreadable = 0;  ///< Not readable, header damaged, or not ours.
  std::size_t records = 0;
  std::size_t corrupt_ranges = 0;
  std::size_t bytes_cut = 0;
};

/// One directory of preallocated segments, written by one thread in groups.
///
/// Records are at least once: after a failed fdatasync the group is written again to a new segment
/// (never to the same file, whose dirty pages the kernel may have dropped), so a replay can see one
/// twice. Readers are idempotent by (meeting, track, seq).
///
/// Threads : append(), settle() and writable() from any thread, never block. `Synced` is called on
///           the journal's thread, in the order of append(), and must not block.
/// Queue   : queue_records_max records; full means append() refuses
///           (qylon_journal_refused_total) and the caller does not acknowledge.
/// Keeping : a full segment goes when every caption in it is settled and it is older than
///           audio_keep_ms; the oldest settled ones go earlier when the directory would exceed
///           bytes_max. Captions that are not settled are never deleted: when they alone fill
///           bytes_max, or the disk has less than free_bytes_min, appends fail (durable = false)
///           until there is room, and the journal goes on by itself.
class Journal {
 public:
  struct Options {
    std::string dir;                           ///< Created when missing, mode 0700.
    int sync_interval_ms = 30;                 ///< Between group syncs; 0..1000. A lone record
                                               ///< after a pause is synced at once.
    std::size_t segment_bytes = 16 << 20;      ///< 1 MiB..1 GiB.
    std::size_t queue_records_max = 16'384;    ///< About 3 s of 100 streams.
    std::int64_t free_bytes_min = 256 << 20;   ///< Of the file system.
    std::int64_t bytes_max = 4LL << 30;        ///< Of all segments; at least two segments.
    std::int64_t audio_keep_ms = 10 * 60'000;  ///< How long audio stays for recovery.
    int retry_interval_ms = 500;               ///< Between attempts while the disk refuses.
  };
  /// True: on disk. False: not, and the journal will not try this record again.
  using Synced = std::function<void(bool durable)>;

  /// Keeps what lies in `dir` (see replay) and starts a new segment with the first record.
  /// Errors: kInvalidArgument option out of range; kUnavailable directory cannot be used;
  ///         kConflict another process has it open.
  static Result<std::unique_ptr<Journal>> open(Options options,
                                               const Log& log,
                                               Counters& counters,
                                               const Clock& clock);
  /// As above on another disk, for tests of its failures.
  static Result<std::unique_ptr<Journal>> open(Options options,
                                               std::unique_ptr<SpoolDisk> disk,
                                               const Log& log,
                                               Counters& counters,
                                               const Clock& clock);
  /// Writes and syncs what was accepted, calls back, joins.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  Journal(Journal&&) = delete;
  Journal& operator=(Journal&&) = delete;

  /// Hands every valid record in `dir` to `on_record`, oldest segment first. Safe at any time, also
  /// beside an open journal (which may then add a torn tail to the count).
  /// Errors: kUnavailable when the directory cannot be read; a missing one is an empty journal.
  static Result<ReplayReport> replay(const std::string& dir,
                                     const std::function<void(const Record&)>& on_record);

  /// Takes the record and promises one call of `synced`; false when the queue is full or the
  /// payload exceeds kRecordPayloadBytesMax: then `synced` is never called.
  [[nodiscard]] bool append(Record record, Synced synced);
  /// Every caption of `meeting` up to `offset` is in PostgreSQL.
  void settle(MeetingId meeting, std::uint64_t offset);
  /// The last group reached the disk. False: refuse new streams (503 / 4006).
  bool writable() const noexcept;

 private:
  class Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace qylon::storage

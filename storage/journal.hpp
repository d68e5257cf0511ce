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
#include "storage/spool.hpp"
#include "storage/spool_disk.hpp"

namespace qylon::storage {

/// The spool (storage/spool.hpp) behind a queue and a thread that syncs in groups.
///
/// Threads : append(), settle() and the questions from any thread, never block. `Synced` is called
///           on the journal's thread, in the order of append(), and must not block.
/// Queue   : queue_records_max records; full means append() refuses
///           (qylon_journal_refused_total) and the caller does not acknowledge. What a broken disk
///           does not take waits, see SpoolWriter; the journal goes on by itself.
class Journal {
 public:
  struct Options {
    std::string dir;                           ///< Created when missing, mode 0700.
    int sync_interval_ms = 30;                 ///< Between group syncs; 0..1000. A lone record
                                               ///< after a pause is synced at once.
    std::size_t queue_records_max = 16'384;    ///< About 3 s of 100 streams.
    std::string key_file;                      ///< Master key of MeetingKeys; empty: not sealed.
    std::size_t backlog_bytes_max = 64 << 20;  ///< A broken disk: 100 s of 100 streams.
    Spool::Options spool{};
  };
  /// See SpoolItem::synced: true, or false and later perhaps true.
  using Synced = std::function<void(bool durable)>;

  /// Keeps what lies in `dir` and starts a new segment with the first record.
  /// Errors: kInvalidArgument option out of range, or a wrong key; kUnavailable directory cannot be
  ///         used; kConflict another process has it open.
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

  /// Takes the record and promises a call of `synced`; false when the queue is full or the
  /// payload exceeds kRecordPayloadBytesMax: then `synced` is never called.
  [[nodiscard]] bool append(Record record, Synced synced);
  /// Every caption of `meeting` up to `offset` is in PostgreSQL.
  void settle(MeetingId meeting, std::uint64_t offset);
  /// The last group reached the disk and nothing waits for it.
  bool writable() const noexcept;
  /// Writable, and the disk has room: see Spool::Options. Else refuse new ones (503 / 4006).
  bool takes_new_streams() const noexcept;
  /// For reading.
  const Spool& spool() const noexcept;

 private:
  class Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  static Result<std::unique_ptr<Journal>> start(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace qylon::storage

#pragma once
/// What waits for PostgreSQL: finals in order, and rows about meetings. No thread of its own.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "core/sync.hpp"
#include "core/transcript.hpp"
#include "storage/spool.hpp"

namespace qylon::storage {

/// Threads : add(), add_row(), flush() and the questions on any thread; store_some(),
///           answer_flushes() and refuse_flushes() on one, where callbacks come too.
/// Queue   : captions_max captions or bytes_max bytes while PostgreSQL is away. Beyond it the newer
///           ones are not kept in memory (qylon_caption_writer_spilled_total): they are in the
///           journal, and are read again from it once the queue has drained. Rows beyond rows_max
///           are refused (qylon_meeting_rows_refused_total).
/// Refused : a caption that PostgreSQL will never take (its meeting was deleted, its text is not
///           UTF-8) is logged, counted (qylon_caption_writer_refused_total) and passed over, so
///           that it does not hold up the others.
class CaptionQueue {
 public:
  struct Options {
    std::size_t batch_captions_max = 500;
    std::size_t captions_max = 100'000;
    std::size_t bytes_max = 256 << 20;
    std::size_t rows_max = 4096;
    int flush_timeout_ms = 30'000;  ///< Then a flush is answered kUnavailable.
  };
  using Sink = std::function<void(CaptionPtr)>;
  struct Events {
    /// Every caption of the meeting up to `offset` is stored or refused: Journal::settle.
    std::function<void(MeetingId meeting, std::uint64_t offset)> on_stored;
    /// Hands every caption of the journal that was not settled to the sink, those of a meeting
    /// oldest first: read_unsettled_captions. False: some still wait for a broken disk, so that
    /// this must be tried again later.
    std::function<bool(const Sink&)> reread;
  };
  /// Stores a batch and waits for it: append_captions.
  using Store = std::function<Status(std::span<const CaptionPtr>)>;
  /// Writes one row and waits for it; repeatable. kUnavailable and kOverloaded: asked again later.
  using Row = std::function<Status()>;

  CaptionQueue(const Options& options,
               Events events,
               Store store,
               const Log& log,
               Counters& counters,
               const Clock& clock);

  /// REQUIRES: a final; offsets of one meeting rise.
  void add(CaptionPtr caption) QYLON_EXCLUDES(mutex_);
  /// A row goes before the captions. Repeated in vain until PostgreSQL answers.
  void add_row(Row row) QYLON_EXCLUDES(mutex_);
  /// Calls `done` once everything added before is stored, or with kUnavailable after
  /// flush_timeout_ms.
  void flush(std::function<void(Status)> done) QYLON_EXCLUDES(mutex_);

  /// Rows, one batch, or what was spilled. False when it must be tried again later.
  bool store_some();
  void answer_flushes() QYLON_EXCLUDES(mutex_);
  void refuse_flushes() QYLON_EXCLUDES(mutex_);
  /// Nothing waits to be stored.
  bool idle() const QYLON_EXCLUDES(mutex_);
  /// Waiting for company would gain nothing: a flush waits, or a batch is full.
  bool urgent() const QYLON_EXCLUDES(mutex_);

 private:
  struct Waiting {
    CaptionPtr caption;
    std::uint64_t index;  // Of the add() call, from 1.
  };
  struct Flush {
    std::uint64_t index = 0;  // Everything up to this add() call.
    std::uint64_t rows = 0;   // And up to this add_row() call.
    std::int64_t deadline_us = 0;
    std::function<void(Status)> done;
  };

  bool store_rows() QYLON_EXCLUDES(mutex_);
  std::vector<CaptionPtr> front_of_queue() QYLON_EXCLUDES(mutex_);
  void pop(std::size_t count) QYLON_EXCLUDES(mutex_);
  std::size_t store_batch(std::span<const CaptionPtr> batch);
  void refuse(const Caption& caption, const Error& error);
  void announce(std::span<const CaptionPtr> batch);
  bool store_spilled() QYLON_EXCLUDES(mutex_);
  bool reread_journal();

  const Options options_;  // Constant after construction, like the next three.
  const Events events_;
  const Store store_;
  const Log& log_;
  const Clock& clock_;
  Counter& stored_;
  Counter& spilled_;
  Counter& refused_;
  Counter& rows_refused_;
  Gauge& waiting_;
  mutable Mutex mutex_;
  std::deque<Waiting> queue_ QYLON_GUARDED_BY(mutex_);
  std::size_t queue_bytes_ QYLON_GUARDED_BY(mutex_) = 0;
  std::uint64_t added_ QYLON_GUARDED_BY(mutex_) = 0;
  std::uint64_t done_ QYLON_GUARDED_BY(mutex_) = 0;  // Every add() up to this one is stored.
  bool spilling_ QYLON_GUARDED_BY(mutex_) = false;
  std::deque<Row> rows_ QYLON_GUARDED_BY(mutex_);
  std::uint64_t rows_done_ QYLON_GUARDED_BY(mutex_) = 0;
  std::deque<Flush> flushes_ QYLON_GUARDED_BY(mutex_);
};

/// As Spool::read_unsettled. Captions that do not parse are passed over.
void read_unsettled_captions(const Spool& spool, const CaptionQueue::Sink& sink);

}  // namespace qylon::storage

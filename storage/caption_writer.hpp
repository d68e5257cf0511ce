#pragma once
/// Carries finals from the journal to PostgreSQL, in batches, through outages.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/ids.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "core/transcript.hpp"
#include "storage/database.hpp"
#include "storage/spool.hpp"

namespace qylon::storage {

/// Threads : every method is safe from any thread and does not block. One own thread forms batches
///           and waits for the Database job that stores each; callbacks come on it.
/// Queue   : captions_max captions or bytes_max bytes while PostgreSQL is away. Beyond it the newer
///           ones are not kept in memory (qylon_caption_writer_spilled_total): they are in the
///           journal, and are read again from it once the queue has drained.
/// Refused : a caption that PostgreSQL will never take (its meeting was deleted, its text is not
///           UTF-8) is logged, counted (qylon_caption_writer_refused_total) and passed over, so
///           that it does not hold up the others.
class CaptionWriter {
 public:
  struct Options {
    int batch_interval_ms = 50;  ///< Between batches; 0..1000.
    std::size_t batch_captions_max = 500;
    std::size_t captions_max = 100'000;
    std::size_t bytes_max = 256 << 20;
    int retry_interval_ms = 250;    ///< After a failed batch.
    int flush_timeout_ms = 30'000;  ///< Then a flush is answered kUnavailable.
  };
  using Sink = std::function<void(CaptionPtr)>;
  struct Events {
    /// Every caption of the meeting up to `offset` is stored or refused: Journal::settle.
    std::function<void(MeetingId meeting, std::uint64_t offset)> on_stored;
    /// Hands every caption of the journal that was not settled to the sink, those of a meeting
    /// oldest first: read_unsettled_captions.
    std::function<void(const Sink&)> reread;
  };
  /// Stores a batch and waits for it: append_captions.
  using Store = std::function<Status(std::span<const CaptionPtr>)>;

  /// `database` must outlive the writer.
  CaptionWriter(Options options,
                Events events,
                Database& database,
                const Log& log,
                Counters& counters,
                const Clock& clock);
  /// As above with another store, for tests.
  CaptionWriter(Options options,
                Events events,
                Store store,
                const Log& log,
                Counters& counters,
                const Clock& clock);
  /// Gives what waits one last attempt; what PostgreSQL does not take stays in the journal.
  ~CaptionWriter();
  CaptionWriter(const CaptionWriter&) = delete;
  CaptionWriter& operator=(const CaptionWriter&) = delete;
  CaptionWriter(CaptionWriter&&) = delete;
  CaptionWriter& operator=(CaptionWriter&&) = delete;

  /// REQUIRES: a final; offsets of one meeting rise.
  void add(CaptionPtr caption);
  /// Calls `done` once everything added before is in PostgreSQL, or with kUnavailable after
  /// flush_timeout_ms.
  void flush(std::function<void(Status)> done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// As Spool::read_unsettled. Captions that do not parse are passed over.
void read_unsettled_captions(const Spool& spool, const CaptionWriter::Sink& sink);

}  // namespace qylon::storage

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
#include "storage/caption_queue.hpp"
#include "storage/database.hpp"
#include "storage/journal.hpp"

namespace qylon::storage {

/// The CaptionQueue with a thread that forms batches and waits for the Database job that stores
/// each.
///
/// Threads : every method is safe from any thread and does not block; callbacks come on the own
/// one.
class CaptionWriter {
 public:
  struct Options {
    int batch_interval_ms = 50;   ///< Between batches; 0..1000.
    int retry_interval_ms = 250;  ///< After a failed batch.
    CaptionQueue::Options queue{};
  };
  using Sink = CaptionQueue::Sink;
  using Events = CaptionQueue::Events;
  using Store = CaptionQueue::Store;

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

  /// See CaptionQueue.
  void add(CaptionPtr caption);
  void flush(std::function<void(Status)> done);
  /// Writes rows about a meeting as soon as PostgreSQL takes them. REQUIRES: a Database.
  void add_row(std::function<Status(Session&)> row);

 private:
  class Impl;
  Database* database_ = nullptr;  // Null with another store. Constant after construction.
  std::unique_ptr<Impl> impl_;
};

/// CaptionQueue::Events::reread over a journal. False while it waits for a broken disk.
bool reread_captions(const Journal& journal, const CaptionWriter::Sink& sink);

}  // namespace qylon::storage

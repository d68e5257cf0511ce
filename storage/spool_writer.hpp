#pragma once
/// The line of records in front of the spool: who is told what, and what waits for a broken disk.

#include <atomic>
#include <cstddef>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "storage/spool.hpp"

namespace qylon::storage {

/// Records reach the spool in order. When the disk refuses a group its records are told so and wait
/// here; the next write() tries them first, so that none that follow can be durable before them.
///
/// Bound   : backlog_bytes_max of waiting records. Beyond it new ones are told false and given up
///           (qylon_journal_given_up_total).
/// Threads : one at a time; writable() from any.
class SpoolWriter {
 public:
  /// `spool` must outlive the writer.
  SpoolWriter(Spool& spool,
              std::size_t backlog_bytes_max,
              const Log& log,
              Counters& counters,
              const Clock& clock);

  /// Puts `group`, which is empty afterwards, in line and writes the line. An empty group tries
  /// again what waits.
  void write(std::vector<SpoolItem>& group);
  /// Nothing waits for a broken disk.
  bool writable() const noexcept { return writable_.load(std::memory_order_acquire); }

 private:
  void take(SpoolItem&& item);
  std::size_t next_group() const;
  void finish(std::size_t count);
  void refuse_waiting();
  void set_writable(bool writable);

  Spool& spool_;
  const std::size_t backlog_bytes_max_;
  const Log& log_;
  const Clock& clock_;
  Counter& records_;
  Counter& failed_;
  Counter& given_up_;
  Gauge& backlog_;
  Histogram& group_seconds_;
  std::vector<SpoolItem> line_;
  std::size_t line_bytes_ = 0;
  std::atomic<bool> writable_{true};
};

}  // namespace qylon::storage

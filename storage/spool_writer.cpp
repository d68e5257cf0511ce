#include "storage/spool_writer.hpp"

#include <algorithm>
#include <utility>

namespace qylon::storage {
namespace {

constexpr std::size_t kGroupRecordsMax = 8192;
constexpr std::size_t kGroupBytesMax = 4 << 20;

void tell(const SpoolItem& item, bool durable) {
  if (item.synced) item.synced(durable);
}

std::size_t bytes_of(const SpoolItem& item) {
  return record_bytes(item.record.payload.size());
}

}  // namespace

SpoolWriter::SpoolWriter(Spool& spool,
                         std::size_t backlog_bytes_max,
                         const Log& log,
                         Counters& counters,
                         const Clock& clock)
    : spool_(spool),
      backlog_bytes_max_(backlog_bytes_max),
      log_(log),
      clock_(clock),
      records_(counters.counter("qylon_journal_records_total", "Records made durable")),
      failed_(counters.counter("qylon_journal_failed_total",
                               "Records that could not be made durable at once")),
      given_up_(counters.counter("qylon_journal_given_up_total",
                                 "Records that did not fit the backlog of a broken disk")),
      backlog_(counters.gauge("qylon_journal_backlog", "Records that wait for a broken disk")),
      group_seconds_(counters.histogram("qylon_journal_group_seconds",
                                        "Time to write and sync one group",
                                        {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3})) {}

void SpoolWriter::write(std::vector<SpoolItem>& group) {
  for (SpoolItem& item : group)
    take(std::move(item));
  group.clear();
  while (!line_.empty()) {
    const std::int64_t start_us = clock_.monotonic_us();
    const std::size_t count = next_group();
    const bool durable = spool_.write(std::span(line_).first(count));
    group_seconds_.observe(static_cast<double>(clock_.monotonic_us() - start_us) * 1e-6);
    if (!durable) return refuse_waiting();
    finish(count);
  }
  set_writable(true);
}

void SpoolWriter::take(SpoolItem&& item) {
  const std::size_t bytes = bytes_of(item);
  if (!writable() && line_bytes_ + bytes > backlog_bytes_max_) {
    failed_.add();
    given_up_.add();
    return tell(item, false);
  }
  line_bytes_ += bytes;
  line_.push_back(std::move(item));
}

std::size_t SpoolWriter::next_group() const {
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (count < line_.size() && count < kGroupRecordsMax && bytes < kGroupBytesMax)
    bytes += bytes_of(line_[count++]);
  return count;
}

void SpoolWriter::finish(std::size_t count) {
  const auto end = line_.begin() + static_cast<std::ptrdiff_t>(count);
  std::for_each(line_.begin(), end, [this](const SpoolItem& item) {
    line_bytes_ -= bytes_of(item);
    tell(item, true);
  });
  line_.erase(line_.begin(), end);
  records_.add(count);
}

void SpoolWriter::refuse_waiting() {
  set_writable(false);
  for (SpoolItem& item : line_) {
    if (std::exchange(item.refused, true)) continue;
    failed_.add();
    tell(item, false);
  }
}

void SpoolWriter::set_writable(bool writable) {
  backlog_.set(static_cast<std::int64_t>(line_.size()));
  const bool before = writable_.exchange(writable, std::memory_order_acq_rel);
  if (!before && writable) log_.info("journal_writable");
  if (before && !writable) log_.error("journal_not_writable");
}

}  // namespace qylon::storage

#pragma once
/// Which closed segments of the journal exist, and which of them may go.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/ids.hpp"

namespace qylon::storage {

/// What must be known of a segment without reading it again.
struct SegmentSummary {
  std::uint64_t number = 0;
  std::int64_t bytes = 0;      ///< On disk.
  std::int64_t closed_us = 0;  ///< Monotonic clock.
  /// Highest caption offset of each meeting that has captions in it.
  std::unordered_map<MeetingId, std::uint64_t> captions;
};

/// Highest caption offset of each meeting that is in PostgreSQL.
using SettledOffsets = std::unordered_map<MeetingId, std::uint64_t>;

/// Threads: one at a time.
class SegmentShelf {
 public:
  void add(SegmentSummary summary);
  /// Takes off the shelf, and returns, the segments closed before `closed_before_us` whose
  /// captions are all settled.
  std::vector<std::uint64_t> take_expired(const SettledOffsets& settled,
                                          std::int64_t closed_before_us);
  /// Takes off the oldest segment whose captions are all settled, whatever its age.
  std::optional<std::uint64_t> take_oldest_settled(const SettledOffsets& settled);
  /// Some segment holds captions of the meeting.
  bool mentions(MeetingId meeting) const;

  std::int64_t bytes() const noexcept { return bytes_; }
  std::size_t count() const noexcept { return segments_.size(); }

 private:
  using Segments = std::map<std::uint64_t, SegmentSummary>;
  Segments::iterator remove(Segments::iterator segment);

  Segments segments_;  // By number: oldest first.
  std::int64_t bytes_ = 0;
};

}  // namespace qylon::storage

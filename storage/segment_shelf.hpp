#pragma once
/// Which segments of the journal exist, what each holds of which meeting, and which may go.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/ids.hpp"
#include "storage/journal_record.hpp"

namespace qylon::storage {

/// A stretch of a segment that begins and ends with a meeting's records; others lie between.
struct Extent {
  std::uint32_t offset = 0;  ///< From the segment's start [bytes].
  std::uint32_t bytes = 0;
  std::uint64_t last_seq = 0;  ///< Highest of its records.
};

/// What one segment holds of one meeting.
struct MeetingExtents {
  std::vector<Extent> audio;
  std::vector<Extent> others;  ///< Captions and what else is not audio.
  std::uint64_t last_caption = 0;
};

/// An extent and how to read it.
struct Place {
  std::uint64_t segment = 0;
  std::uint32_t seed = 0;
  Extent extent;
};

/// Where a record lies, and whose it is.
struct RecordNote {
  RecordType type = RecordType::kAudio;
  MeetingId meeting;
  std::uint64_t seq = 0;
  std::size_t offset = 0;  ///< From the segment's start [bytes].
  std::size_t bytes = 0;   ///< On disk.
};

/// What must be known of a segment without reading it again.
struct SegmentSummary {
  static constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::max();

  std::uint64_t number = 0;
  std::uint32_t seed = 0;
  std::int64_t bytes = 0;          ///< On disk.
  std::int64_t closed_us = kOpen;  ///< Monotonic clock.
  std::unordered_map<MeetingId, MeetingExtents> meetings;

  /// REQUIRES: offsets rise.
  /// Bound: one extent in 4 KiB of captions or 64 KiB of audio: a few hundred a segment.
  void note(const RecordNote& record);
};

/// What a segment that was read whole holds; nothing when its header is not readable.
///
/// A power failure keeps sectors of an unsynced group in any order. Nobody was told of them, and a
/// record without its predecessor would leave a hole in what is numbered: of the last group, which
/// alone can be torn, only what stands before the first damage counts.
std::optional<SegmentSummary> summarise_segment(std::span<const std::uint8_t> bytes,
                                                ScanReport& report);

/// Highest caption offset of each meeting that is in PostgreSQL.
using SettledOffsets = std::unordered_map<MeetingId, std::uint64_t>;

/// Threads: one at a time.
class SegmentShelf {
 public:
  void add(SegmentSummary summary);
  /// REQUIRES: it is on the shelf.
  SegmentSummary& at(std::uint64_t number);
  /// Its bytes lie under another number now. REQUIRES: as above.
  void renumber(std::uint64_t number, std::uint64_t new_number);
  /// From here on it may go. REQUIRES: as above.
  void close(std::uint64_t number, std::int64_t bytes, std::int64_t now_us);
  /// Takes off the shelf, and returns, the segments closed before `closed_before_us` whose
  /// captions are all settled.
  std::vector<std::uint64_t> take_expired(const SettledOffsets& settled,
                                          std::int64_t closed_before_us);
  /// Takes off the oldest of the segments that take_expired() would.
  std::optional<std::uint64_t> take_oldest_settled(const SettledOffsets& settled,
                                                   std::int64_t closed_before_us);

  /// Takes off the closed segments that hold nothing.
  std::vector<std::uint64_t> take_empty();

  /// Some segment holds anything of the meeting.
  bool mentions(MeetingId meeting) const;
  /// Highest caption offset of the meeting, 0 without any.
  std::uint64_t last_caption(MeetingId meeting) const;
  /// Where the meeting's audio lies, oldest first.
  std::vector<Place> audio_of(MeetingId meeting) const;
  /// Where captions of the meeting beyond `after` may lie, oldest first.
  std::vector<Place> captions_of(MeetingId meeting, std::uint64_t after) const;
  std::vector<MeetingId> meetings_with_captions() const;

  std::int64_t bytes() const noexcept { return bytes_; }
  std::size_t count() const noexcept { return segments_.size(); }

 private:
  using Segments = std::map<std::uint64_t, SegmentSummary>;
  Segments::iterator remove(Segments::iterator segment);

  Segments segments_;  // By number: oldest first.
  std::int64_t bytes_ = 0;
};

}  // namespace qylon::storage

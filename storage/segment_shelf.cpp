#include "storage/segment_shelf.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/check.hpp"

namespace qylon::storage {
namespace {

// Nearer records of a meeting share an extent: one read instead of two.
struct Grain {
  std::size_t gap_bytes;
  std::size_t extent_bytes_max;
};
constexpr Grain kAudioGrain{64 << 10, 1 << 20};
constexpr Grain kCaptionGrain{4 << 10, 64 << 10};

void extend(std::vector<Extent>& extents, const Grain& grain, const Extent& record) {
  if (!extents.empty()) {
    Extent& last = extents.back();
    const std::uint32_t end = last.offset + last.bytes;
    const std::uint32_t whole = record.offset + record.bytes - last.offset;
    if (record.offset <= end + grain.gap_bytes && whole <= grain.extent_bytes_max) {
      last.bytes = whole;
      last.last_seq = std::max(last.last_seq, record.last_seq);
      return;
    }
  }
  extents.push_back(record);
}

bool is_settled(const SegmentSummary& segment, const SettledOffsets& settled) {
  return std::all_of(segment.meetings.begin(), segment.meetings.end(), [&](const auto& entry) {
    if (entry.second.last_caption == 0) return true;
    const auto found = settled.find(entry.first);
    return found != settled.end() && found->second >= entry.second.last_caption;
  });
}

void append(const SegmentSummary& segment,
            const std::vector<Extent>& extents,
            std::vector<Place>& places) {
  for (const Extent& extent : extents)
    places.push_back({segment.number, segment.seed, extent});
}

/// How many records stand before the first damage in the last group, whose first is `last_group`.
std::size_t whole_records(const std::vector<RecordNote>& notes,
                          std::optional<std::size_t> last_group) {
  std::size_t end = kSegmentHeaderBytes;
  for (std::size_t i = last_group.value_or(0); i < notes.size(); ++i) {
    if (i != last_group && notes[i].offset != end) return i;
    end = notes[i].offset + notes[i].bytes;
  }
  return notes.size();
}

}  // namespace

void SegmentSummary::note(const RecordNote& record) {
  MeetingExtents& entry = meetings[record.meeting];
  const Extent extent{static_cast<std::uint32_t>(record.offset),
                      static_cast<std::uint32_t>(record.bytes),
                      record.seq};
  if (record.type == RecordType::kAudio) {
    extend(entry.audio, kAudioGrain, extent);
    return;
  }
  if (record.type == RecordType::kCaption)
    entry.last_caption = std::max(entry.last_caption, record.seq);
  extend(entry.others, kCaptionGrain, extent);
}

std::optional<SegmentSummary> summarise_segment(std::span<const std::uint8_t> bytes,
                                                ScanReport& report) {
  const auto header = decode_segment_header(bytes);
  if (!header) return std::nullopt;
  std::vector<RecordNote> notes;
  std::optional<std::size_t> last_group;
  report = scan_records(
      bytes, kSegmentHeaderBytes, header->seed(), [&](const Record& record, std::size_t at) {
        if (record.begins_group) last_group = notes.size();
        const std::size_t length = record_bytes(record.payload.size());
        notes.push_back({record.type, record.meeting, record.seq, at, length});
      });
  notes.resize(whole_records(notes, last_group));
  SegmentSummary summary;
  summary.seed = header->seed();
  summary.bytes = static_cast<std::int64_t>(bytes.size());
  for (const RecordNote& note : notes)
    summary.note(note);
  return summary;
}

void SegmentShelf::add(SegmentSummary summary) {
  bytes_ += summary.bytes;
  const std::uint64_t number = summary.number;
  segments_.insert_or_assign(number, std::move(summary));
}

SegmentSummary& SegmentShelf::at(std::uint64_t number) {
  const auto segment = segments_.find(number);
  QYLON_CHECK(segment != segments_.end());
  return segment->second;
}

void SegmentShelf::renumber(std::uint64_t number, std::uint64_t new_number) {
  auto segment = segments_.extract(number);
  QYLON_CHECK(!segment.empty());
  segment.key() = new_number;
  segment.mapped().number = new_number;
  segments_.insert(std::move(segment));
}

void SegmentShelf::close(std::uint64_t number, std::int64_t bytes, std::int64_t now_us) {
  SegmentSummary& segment = at(number);
  bytes_ += bytes - segment.bytes;
  segment.bytes = bytes;
  segment.closed_us = now_us;
}

SegmentShelf::Segments::iterator SegmentShelf::remove(Segments::iterator segment) {
  bytes_ -= segment->second.bytes;
  return segments_.erase(segment);
}

std::vector<std::uint64_t> SegmentShelf::take_expired(const SettledOffsets& settled,
                                                      std::int64_t closed_before_us) {
  std::vector<std::uint64_t> taken;
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    if (segment->second.closed_us >= closed_before_us || !is_settled(segment->second, settled)) {
      ++segment;
      continue;
    }
    taken.push_back(segment->first);
    segment = remove(segment);
  }
  return taken;
}

std::optional<std::uint64_t> SegmentShelf::take_oldest_settled(const SettledOffsets& settled,
                                                               std::int64_t closed_before_us) {
  const auto found = std::find_if(segments_.begin(), segments_.end(), [&](const auto& segment) {
    return segment.second.closed_us < closed_before_us && is_settled(segment.second, settled);
  });
  if (found == segments_.end()) return std::nullopt;
  const std::uint64_t number = found->first;
  remove(found);
  return number;
}

std::vector<std::uint64_t> SegmentShelf::take_empty() {
  std::vector<std::uint64_t> taken;
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    const SegmentSummary& summary = segment->second;
    const bool is_empty = summary.meetings.empty() && summary.closed_us != SegmentSummary::kOpen;
    if (is_empty) taken.push_back(segment->first);
    segment = is_empty ? remove(segment) : std::next(segment);
  }
  return taken;
}

bool SegmentShelf::mentions(MeetingId meeting) const {
  return std::any_of(segments_.begin(), segments_.end(), [&](const auto& segment) {
    return segment.second.meetings.contains(meeting);
  });
}

std::uint64_t SegmentShelf::last_caption(MeetingId meeting) const {
  std::uint64_t last = 0;
  for (const auto& [number, segment] : segments_) {
    const auto entry = segment.meetings.find(meeting);
    if (entry != segment.meetings.end()) last = std::max(last, entry->second.last_caption);
  }
  return last;
}

std::vector<Place> SegmentShelf::audio_of(MeetingId meeting) const {
  std::vector<Place> places;
  for (const auto& [number, segment] : segments_) {
    const auto entry = segment.meetings.find(meeting);
    if (entry != segment.meetings.end()) append(segment, entry->second.audio, places);
  }
  return places;
}

std::vector<Place> SegmentShelf::captions_of(MeetingId meeting, std::uint64_t after) const {
  std::vector<Place> places;
  for (const auto& [number, segment] : segments_) {
    const auto entry = segment.meetings.find(meeting);
    if (entry != segment.meetings.end() && entry->second.last_caption > after)
      append(segment, entry->second.others, places);
  }
  std::erase_if(places, [after](const Place& place) { return place.extent.last_seq <= after; });
  return places;
}

std::vector<MeetingId> SegmentShelf::meetings_with_captions() const {
  std::set<MeetingId> meetings;
  for (const auto& [number, segment] : segments_) {
    for (const auto& [meeting, entry] : segment.meetings) {
      if (entry.last_caption > 0) meetings.insert(meeting);
    }
  }
  return {meetings.begin(), meetings.end()};
}

}  // namespace qylon::storage

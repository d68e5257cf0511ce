#include "storage/segment_shelf.hpp"

#include <algorithm>
#include <utility>

namespace qylon::storage {
namespace {

bool is_settled(const SegmentSummary& segment, const SettledOffsets& settled) {
  return std::all_of(segment.captions.begin(), segment.captions.end(), [&](const auto& last) {
    const auto found = settled.find(last.first);
    return found != settled.end() && found->second >= last.second;
  });
}

}  // namespace

void SegmentShelf::add(SegmentSummary summary) {
  bytes_ += summary.bytes;
  const std::uint64_t number = summary.number;
  segments_.insert_or_assign(number, std::move(summary));
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

std::optional<std::uint64_t> SegmentShelf::take_oldest_settled(const SettledOffsets& settled) {
  const auto found = std::find_if(segments_.begin(), segments_.end(), [&](const auto& segment) {
    return is_settled(segment.second, settled);
  });
  if (found == segments_.end()) return std::nullopt;
  const std::uint64_t number = found->first;
  remove(found);
  return number;
}

bool SegmentShelf::mentions(MeetingId meeting) const {
  return std::any_of(segments_.begin(), segments_.end(), [&](const auto& segment) {
    return segment.second.captions.contains(meeting);
  });
}

}  // namespace qylon::storage

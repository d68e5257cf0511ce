#include "realtime/meeting_rings.hpp"

#include <algorithm>
#include <memory>

namespace qylon::realtime {

MeetingRings::Ring& MeetingRings::ring_of(MeetingId meeting) {
  const auto found = rings_.find(meeting);
  if (found != rings_.end()) return found->second;
  if (rings_.size() >= options_.meetings_max) {
    rings_.erase(std::min_element(rings_.begin(), rings_.end(), [](const auto& a, const auto& b) {
      return a.second.serial < b.second.serial;
    }));
  }
  return rings_[meeting];
}

void MeetingRings::store_final(Ring& ring, const Delivery& delivery) {
  const std::uint64_t offset = *delivery.offset;
  const std::uint64_t next = ring.first + ring.finals.size();
  const bool continues = !ring.finals.empty() && ring.epoch == delivery.epoch;
  if (continues && offset < next) return;
  if (!continues || offset > next) {
    ring.finals.clear();
    ring.bytes = 0;
    ring.first = offset;
    ring.epoch = delivery.epoch;
  }
  ring.finals.push_back(delivery.frame);
  ring.bytes += delivery.frame->size();
  while (ring.finals.size() > options_.finals_max ||
         (ring.bytes > options_.bytes_max && ring.finals.size() > 1)) {
    ring.bytes -= ring.finals.front()->size();
    ring.finals.pop_front();
    ++ring.first;
  }
}

DeliveryPtr MeetingRings::add(Delivery delivery) {
  const MutexLock lock(mutex_);
  delivery.serial = ++serial_;
  if (delivery.is_final() || delivery.topic == Topic::kStatus) {
    Ring& ring = ring_of(delivery.meeting);
    ring.serial = delivery.serial;
    if (delivery.is_final()) {
      store_final(ring, delivery);
    } else {
      ring.status = delivery.frame;
    }
  }
  return std::make_shared<const Delivery>(std::move(delivery));
}

MeetingRings::Slice MeetingRings::read(MeetingId meeting,
                                       std::uint64_t after,
                                       std::size_t limit) const {
  Slice slice;
  const MutexLock lock(mutex_);
  slice.serial = serial_;
  const auto found = rings_.find(meeting);
  if (found == rings_.end()) return slice;
  const Ring& ring = found->second;
  slice.known = true;
  slice.status = ring.status;
  if (ring.finals.empty()) return slice;
  slice.has_finals = true;
  slice.epoch = ring.epoch;
  slice.first = ring.first;
  slice.last = ring.first + ring.finals.size() - 1;
  if (after + 1 < slice.first || after >= slice.last) return slice;
  const std::uint64_t end = std::min<std::uint64_t>(slice.last, after + limit);
  for (std::uint64_t offset = after + 1; offset <= end; ++offset)
    slice.finals.emplace_back(offset, ring.finals[offset - ring.first]);
  return slice;
}

void MeetingRings::retire(MeetingId meeting) {
  const MutexLock lock(mutex_);
  rings_.erase(meeting);
}

std::size_t MeetingRings::meetings() const {
  const MutexLock lock(mutex_);
  return rings_.size();
}

}  // namespace qylon::realtime

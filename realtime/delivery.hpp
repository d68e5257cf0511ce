#pragma once
/// A publication as the net threads carry it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "core/ids.hpp"
#include "realtime/frame.hpp"
#include "realtime/hub.hpp"

namespace qylon::realtime {

/// Messages with equal keys replace one another while they wait.
struct ConflationKey {
  MeetingId meeting;
  Topic topic = Topic::kCaptions;
  std::uint64_t key = 0;

  bool operator==(const ConflationKey&) const = default;
};

struct ConflationKeyHash {
  std::size_t operator()(const ConflationKey& key) const noexcept {
    return std::hash<MeetingId>{}(key.meeting) * 31 + static_cast<std::size_t>(key.topic) +
           key.key * 0x9E37'79B9'7F4A'7C15U;
  }
};

/// Immutable once published.
struct Delivery {
  MeetingId meeting;
  Epoch epoch;
  Topic topic = Topic::kCaptions;
  Frame frame;
  std::optional<std::uint64_t> offset;  ///< Finals only.
  std::uint64_t conflation_key = 0;     ///< 0: neither replaces nor is replaced.
  std::uint64_t serial = 0;             ///< Rises with every publication of the hub.

  bool is_final() const noexcept { return offset.has_value(); }
  ConflationKey key() const noexcept { return {meeting, topic, conflation_key}; }
};
using DeliveryPtr = std::shared_ptr<const Delivery>;

}  // namespace qylon::realtime

#pragma once
/// The newest finals and the newest status of every live meeting, kept for whoever fell behind.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/sync.hpp"
#include "realtime/delivery.hpp"

namespace qylon::realtime {

/// Threads : every method is safe from any thread; the lock is held for a copy of pointers.
/// Bounds  : Options; the oldest final and the meeting silent longest make room.
class MeetingRings {
 public:
  struct Options {
    std::size_t finals_max = Hub::kRingFinals;      ///< Per meeting.
    std::size_t bytes_max = Hub::kRingBytes;        ///< Per meeting; the newest final always stays.
    std::size_t meetings_max = Hub::kRingMeetings;  ///< >= 1.
  };
  struct Slice {
    bool known = false;       ///< The meeting has finals or a status here.
    bool has_finals = false;  ///< epoch, first and last are set.
    Epoch epoch;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::vector<std::pair<std::uint64_t, Frame>> finals;
    Frame status;              ///< Null when none was published.
    std::uint64_t serial = 0;  ///< Everything published up to here is in the answer.
  };

  explicit MeetingRings(const Options& options) : options_(options) {}

  /// Stores a final or a status, gives the delivery its serial and returns it shared.
  /// A final that does not continue the ring starts it anew; one that is known is not stored twice.
  DeliveryPtr add(Delivery delivery) QYLON_EXCLUDES(mutex_);
  /// Finals from `after` + 1 on, at most `limit`, only when the ring reaches back that far.
  Slice read(MeetingId meeting, std::uint64_t after, std::size_t limit) const
      QYLON_EXCLUDES(mutex_);
  void retire(MeetingId meeting) QYLON_EXCLUDES(mutex_);
  std::size_t meetings() const QYLON_EXCLUDES(mutex_);

 private:
  struct Ring {
    Epoch epoch;
    std::uint64_t first = 0;  // Offset of finals.front().
    std::deque<Frame> finals;
    std::size_t bytes = 0;
    Frame status;
    std::uint64_t serial = 0;  // Of the newest publication; the smallest is the idlest.
  };
  Ring& ring_of(MeetingId meeting) QYLON_REQUIRES(mutex_);
  void store_final(Ring& ring, const Delivery& delivery) QYLON_REQUIRES(mutex_);

  const Options options_;  // Constant after construction.
  mutable Mutex mutex_;
  std::unordered_map<MeetingId, Ring> rings_ QYLON_GUARDED_BY(mutex_);
  std::uint64_t serial_ QYLON_GUARDED_BY(mutex_) = 0;
};

}  // namespace qylon::realtime

#pragma once
/// Who on this net thread watches what.

#include <array>
#include <cstddef>
#include <unordered_map>
#include <vector>

#include "core/ids.hpp"
#include "realtime/delivery.hpp"
#include "realtime/footprint.hpp"

namespace qylon::realtime {

/// One subscriber's interest in one meeting, registered under up to three topics.
///
/// Threads: its net thread.
class Subscription {
 public:
  explicit Subscription(MeetingId meeting) : meeting_(meeting) {}
  virtual ~Subscription() = default;
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  Subscription(Subscription&&) = delete;
  Subscription& operator=(Subscription&&) = delete;

  MeetingId meeting() const noexcept { return meeting_; }
  /// What on_delivery() reads, apart from what all subscriptions share.
  virtual Footprint<7> footprint() const noexcept { return {}; }
  /// Must not add or remove subscriptions.
  virtual void on_delivery(const Delivery& delivery) = 0;
  /// Finals were lost on the way to this thread: fetch what is missing.
  virtual void on_finals_lost() = 0;

 private:
  friend class Fanout;
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  const MeetingId meeting_;                                          // Constant after construction.
  std::array<std::size_t, 3> places_{kNowhere, kNowhere, kNowhere};  // By topic, in the list.
};

/// Cost    : deliver() one virtual call a subscriber; add and remove O(1).
/// Threads : one object per net thread.
class Fanout {
 public:
  /// Does nothing when it is there already.
  void add(Topic topic, Subscription& subscription);
  void remove(Topic topic, Subscription& subscription);
  void remove_all(Subscription& subscription);

  void deliver(const Delivery& delivery);
  void finals_lost();

 private:
  struct Entry {
    Subscription* subscription;
    Footprint<7> footprint;
  };
  using Lists = std::array<std::vector<Entry>, 3>;  // By topic.
  std::unordered_map<MeetingId, Lists> meetings_;
};

}  // namespace qylon::realtime

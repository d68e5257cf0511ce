#pragma once
/// The connections of one net thread, a tenth of which is looked after at each tick.

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "realtime/connection.hpp"

namespace qylon::realtime {

/// Cost    : add and remove O(1); a tick touches its own tenth, fetched ahead of its use.
/// Threads : its net thread.
class ConnectionWheel {
 public:
  static constexpr std::size_t kSlots = 10;

  Connection& add(std::unique_ptr<Connection> connection);
  void remove(Connection& connection);
  std::size_t size() const noexcept { return size_; }
  /// A WebSocket session is among them.
  bool has_sessions() const noexcept;

  /// Calls `each`, which must not add or remove, for the next tenth; true when the round is whole.
  template <typename Each>
  bool turn(const Each& each) {
    turned_ = (turned_ + 1) % kSlots;
    visit(slots_[turned_], each);
    return turned_ == 0;
  }
  template <typename Each>
  void for_all(const Each& each) const {
    for (const Slot& slot : slots_)
      visit(slot, each);
  }

 private:
  using Slot = std::vector<std::unique_ptr<Connection>>;
  static constexpr std::size_t kAhead = 4;

  template <typename Each>
  static void visit(const Slot& slot, const Each& each) {
    for (std::size_t i = 0; i < slot.size(); ++i) {
      if (i + kAhead < slot.size()) slot[i + kAhead]->prefetch();
      each(*slot[i]);
    }
  }

  std::array<Slot, kSlots> slots_;
  std::size_t size_ = 0;
  std::size_t turned_ = 0;
};

}  // namespace qylon::realtime

#include "realtime/connection_wheel.hpp"

#include <utility>

namespace qylon::realtime {

Connection& ConnectionWheel::add(std::unique_ptr<Connection> connection) {
  Slot& slot = slots_[connection->id() % kSlots];
  connection->wheel_place_ = slot.size();
  slot.push_back(std::move(connection));
  ++size_;
  return *slot.back();
}

void ConnectionWheel::remove(Connection& connection) {
  Slot& slot = slots_[connection.id() % kSlots];
  const std::size_t place = connection.wheel_place_;
  std::swap(slot[place], slot.back());
  slot[place]->wheel_place_ = place;
  slot.pop_back();
  --size_;
}

bool ConnectionWheel::has_sessions() const noexcept {
  bool found = false;
  for_all([&found](Connection& connection) { found = found || connection.session() != nullptr; });
  return found;
}

}  // namespace qylon::realtime

#include "api/end_waits.hpp"

#include <utility>

namespace qylon::api {

std::optional<EndWaits::Ticket> EndWaits::add(Wait wait) {
  const MutexLock lock(mutex_);
  if (waits_.size() >= waits_max_) return std::nullopt;
  const Ticket ticket = next_++;
  waits_.emplace(ticket, std::move(wait));
  return ticket;
}

std::optional<EndWaits::Wait> EndWaits::take(Ticket ticket) {
  const MutexLock lock(mutex_);
  auto node = waits_.extract(ticket);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

std::vector<EndWaits::Wait> EndWaits::take_expired(std::int64_t now_us) {
  const MutexLock lock(mutex_);
  std::vector<Wait> expired;
  for (auto at = waits_.begin(); at != waits_.end();) {
    if (at->second.deadline_us > now_us) {
      ++at;
      continue;
    }
    expired.push_back(std::move(at->second));
    at = waits_.erase(at);
  }
  return expired;
}

bool EndWaits::empty() const {
  const MutexLock lock(mutex_);
  return waits_.empty();
}

}  // namespace qylon::api

#include "api/tickets.hpp"

#include "api/identity/digest.hpp"

namespace qylon::api {

Result<std::string> Tickets::issue(const MeetingPass& pass) {
  const std::int64_t now_us = clock_.monotonic_us();
  const std::string ticket = "qyt_" + random_token();
  const MutexLock lock(mutex_);
  if (kept_.size() >= tickets_max_)
    std::erase_if(kept_, [now_us](const auto& entry) { return entry.second.expires_us < now_us; });
  if (kept_.size() >= tickets_max_) {
    return Error{ErrorCode::kOverloaded, "too many tickets are open; try again in a second"};
  }
  kept_[sha256(ticket)] = {pass, now_us + kLifeUs};
  return ticket;
}

Result<MeetingPass> Tickets::redeem(std::string_view ticket) {
  const MutexLock lock(mutex_);
  const auto found = kept_.find(sha256(ticket));
  const bool is_known = found != kept_.end();
  const Kept kept = is_known ? found->second : Kept{};
  if (is_known) kept_.erase(found);
  if (is_known && clock_.monotonic_us() <= kept.expires_us) return kept.pass;
  return Error{ErrorCode::kUnauthenticated,
               "the ticket is unknown, used, or older than a minute; ask for a new one"};
}

}  // namespace qylon::api

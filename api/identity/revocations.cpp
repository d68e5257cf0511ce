#include "api/identity/revocations.hpp"

namespace qylon::api {

void Revocations::add(const std::vector<std::string>& sessions) {
  const MutexLock lock(mutex_);
  for (const std::string& session : sessions)
    sessions_[session] = round_;
}

void Revocations::replace(const std::vector<std::string>& sessions) {
  const MutexLock lock(mutex_);
  ++round_;
  std::erase_if(sessions_, [this](const auto& entry) { return entry.second + 1 < round_; });
  for (const std::string& session : sessions)
    sessions_[session] = round_;
}

bool Revocations::contains(const std::string& session) const {
  const MutexLock lock(mutex_);
  return sessions_.contains(session);
}

}  // namespace qylon::api

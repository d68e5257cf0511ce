#include "api/identity/token_cache.hpp"

#include <utility>

namespace qylon::api {

std::shared_ptr<const JwtClaims> TokenCache::find(const std::string& token_digest,
                                                  std::int64_t now_s) {
  const MutexLock lock(mutex_);
  const auto found = claims_.find(token_digest);
  if (found == claims_.end() || found->second->expires_s <= now_s) return nullptr;
  return found->second;
}

void TokenCache::add(const std::string& token_digest, std::shared_ptr<const JwtClaims> claims) {
  const MutexLock lock(mutex_);
  if (!claims_.emplace(token_digest, std::move(claims)).second) return;
  order_.push_back(token_digest);
  if (order_.size() <= tokens_max_) return;
  claims_.erase(order_.front());
  order_.pop_front();
}

void TokenCache::clear() {
  const MutexLock lock(mutex_);
  claims_.clear();
  order_.clear();
}

}  // namespace qylon::api

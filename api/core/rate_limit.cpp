#include "api/core/rate_limit.hpp"

#include <utility>

namespace qylon::api {

bool RateLimit::take(std::string_view key, std::int64_t now_us) {
  const MutexLock lock(mutex_);
  auto found = recent_.find(key);
  if (found == recent_.end()) {
    if (recent_.size() >= keys_max_ / 2) older_ = std::exchange(recent_, {});
    const auto before = older_.find(key);
    const TokenBucket bucket =
        before == older_.end() ? TokenBucket(bucket_, now_us) : before->second;
    found = recent_.emplace(std::string(key), bucket).first;
  }
  return found->second.try_take(1.0, now_us);
}

}  // namespace qylon::api

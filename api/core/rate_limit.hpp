#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/sync.hpp"
#include "core/token_bucket.hpp"

namespace qylon::api {

/// How often each of many callers of one kind may ask: a token bucket for each.
///
/// Bounds  : keys_max callers are remembered; beyond it those that did not ask lately are
///           forgotten first, and begin again with a full bucket.
/// Cost    : one lock and one hash look-up.
/// Threads : any.
class RateLimit {
 public:
  RateLimit(const TokenBucket::Options& bucket, std::size_t keys_max = 32'768)
      : bucket_(bucket), keys_max_(keys_max) {}

  /// False: `key` has asked too often, and may ask again in a second.
  bool take(std::string_view key, std::int64_t now_us) QYLON_EXCLUDES(mutex_);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Buckets = std::unordered_map<std::string, TokenBucket, Hash, std::equal_to<>>;

  const TokenBucket::Options bucket_;
  const std::size_t keys_max_;
  Mutex mutex_;
  // Who asked since the last turn, and before it: at a turn the old ones are forgotten.
  Buckets recent_ QYLON_GUARDED_BY(mutex_);
  Buckets older_ QYLON_GUARDED_BY(mutex_);
};

}  // namespace qylon::api

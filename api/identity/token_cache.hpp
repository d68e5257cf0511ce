#pragma once
/// Tokens that were found right, so that each is checked once and not with every request.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "api/identity/jwt.hpp"
#include "core/sync.hpp"

namespace qylon::api {

/// Keeps claims under the SHA-256 of their token, never the token.
///
/// Bound   : `tokens_max` tokens; beyond it the one that came first is forgotten, and checked anew.
/// Threads : every method from any thread; a lock is held for one look-up.
class TokenCache {
 public:
  explicit TokenCache(std::size_t tokens_max = 10'000) : tokens_max_(tokens_max) {}

  /// Nothing when the token is not kept or expired at `now_s`.
  std::shared_ptr<const JwtClaims> find(const std::string& token_digest, std::int64_t now_s)
      QYLON_EXCLUDES(mutex_);
  void add(const std::string& token_digest, std::shared_ptr<const JwtClaims> claims)
      QYLON_EXCLUDES(mutex_);
  /// Forgets all: keys have changed.
  void clear() QYLON_EXCLUDES(mutex_);

 private:
  const std::size_t tokens_max_;  // Constant after construction.
  Mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const JwtClaims>> claims_
      QYLON_GUARDED_BY(mutex_);
  std::deque<std::string> order_ QYLON_GUARDED_BY(mutex_);  // Oldest first.
};

}  // namespace qylon::api

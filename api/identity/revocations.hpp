#pragma once
/// Sessions that were signed out while their access tokens still live.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/sync.hpp"

namespace qylon::api {

/// Bound   : what is older than a token lives is forgotten with each replace(); in between it grows
///           by one entry a sign-out.
/// Threads : every method from any thread.
class Revocations {
 public:
  void add(const std::vector<std::string>& sessions) QYLON_EXCLUDES(mutex_);
  /// What the database knows, at times; includes what other servers signed out.
  void replace(const std::vector<std::string>& sessions) QYLON_EXCLUDES(mutex_);
  bool contains(const std::string& session) const QYLON_EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  // With the number of replace() calls before which it came, so that one that is under way while
  // the database is read is not lost.
  std::unordered_map<std::string, std::uint64_t> sessions_ QYLON_GUARDED_BY(mutex_);
  std::uint64_t round_ QYLON_GUARDED_BY(mutex_) = 0;
};

}  // namespace qylon::api

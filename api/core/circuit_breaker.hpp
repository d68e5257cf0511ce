#pragma once
/// Whom to leave alone for a while.

#include <algorithm>
#include <cstdint>

namespace qylon::api {

/// Closed: everybody asks. After `failures_max` failures in a row open: nobody does, for
/// `open_ms`. Then half open: one probe asks, and its answer closes or opens it again.
///
/// Threads : one.
/// Source  : M. Nygard, "Release It!", 2nd edition, section 5.2.
class CircuitBreaker {
 public:
  struct Options {
    int failures_max = 5;
    std::int64_t open_ms = 30'000;
  };
  explicit CircuitBreaker(const Options& options) : options_(options) {}

  /// True takes the probe when it is half open: success(), failure() or give_back() must follow.
  bool try_enter(std::int64_t now_ms) noexcept {
    if (failures_ < options_.failures_max) return true;
    if (probing_ || now_ms < closed_until_ms_) return false;
    probing_ = true;
    return true;
  }
  void success() noexcept {
    failures_ = 0;
    probing_ = false;
  }
  void failure(std::int64_t now_ms) noexcept {
    failures_ = std::min(failures_ + 1, options_.failures_max);
    if (failures_ == options_.failures_max) closed_until_ms_ = now_ms + options_.open_ms;
    probing_ = false;
  }
  /// It ended without saying anything about the other side.
  void give_back() noexcept { probing_ = false; }
  bool closed() const noexcept { return failures_ == 0; }

 private:
  const Options options_;
  int failures_ = 0;
  bool probing_ = false;
  std::int64_t closed_until_ms_ = 0;
};

}  // namespace qylon::api

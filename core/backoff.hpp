#pragma once
/// How long to wait before trying a lost peer again.

#include <cstdint>

#include "core/jitter.hpp"

namespace qylon {

/// Exponential back-off with full jitter: attempt n waits a uniformly random time between nothing
/// and min(cap, base * 2^n), so that a thousand clients of one server do not return together.
///
/// Threads : one thread at a time.
/// Source  : M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
class Backoff {
 public:
  struct Options {
    std::int64_t base_ms = 250;
    std::int64_t cap_ms = 15'000;
    std::uint64_t seed = 1;  ///< Differs per client; the same seed gives the same waits.
  };
  /// REQUIRES: 1 <= base_ms <= cap_ms.
  explicit Backoff(const Options& options);

  /// The wait before the next attempt, at least `at_least_ms` (a server's retry_after_ms).
  std::int64_t next_ms(std::int64_t at_least_ms = 0);
  /// Begins again from base_ms, after the peer has proved to be well.
  void reset() noexcept { bound_ms_ = options_.base_ms; }

 private:
  const Options options_;
  std::int64_t bound_ms_;
  Jitter jitter_;
};

}  // namespace qylon

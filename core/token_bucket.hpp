#pragma once
/// How often something may happen.

#include <algorithm>
#include <cstdint>

namespace qylon {

/// Threads: one object per session, its net thread.
class TokenBucket {
 public:
  struct Options {
    double per_s = 20.0;  ///< > 0.
    double burst = 40.0;  ///< >= 1; the bucket begins full.
  };

  TokenBucket(const Options& options, std::int64_t now_us)
      : options_(options), tokens_(options.burst), filled_us_(now_us) {}

  /// Takes `tokens` and returns true, or returns false when they are not there.
  bool try_take(double tokens, std::int64_t now_us) {
    refill(now_us);
    if (tokens_ < tokens) return false;
    tokens_ -= tokens;
    return true;
  }
  /// Takes `tokens` even on credit; returns whether any are left.
  bool spend(double tokens, std::int64_t now_us) {
    refill(now_us);
    tokens_ -= tokens;
    return tokens_ > 0.0;
  }
  bool has_tokens(std::int64_t now_us) {
    refill(now_us);
    return tokens_ > 0.0;
  }

 private:
  void refill(std::int64_t now_us) {
    const double elapsed_s = static_cast<double>(now_us - filled_us_) * 1e-6;
    tokens_ = std::min(options_.burst, tokens_ + elapsed_s * options_.per_s);
    filled_us_ = now_us;
  }

  Options options_;
  double tokens_;
  std::int64_t filled_us_;
};

}  // namespace qylon

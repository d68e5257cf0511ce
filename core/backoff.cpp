#include "core/backoff.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace qylon {

Backoff::Backoff(const Options& options)
    : options_(options), bound_ms_(options.base_ms), random_(options.seed) {
  QYLON_CHECK(options.base_ms >= 1 && options.base_ms <= options.cap_ms);
}

std::int64_t Backoff::next_ms(std::int64_t at_least_ms) {
  // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): any seed will do, and its output is the same
  // on every machine, which std::uniform_int_distribution does not promise.
  random_ += 0x9E3779B97F4A7C15U;
  std::uint64_t bits = random_;
  bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
  bits ^= bits >> 31U;
  const auto wait_ms =
      static_cast<std::int64_t>(bits % (static_cast<std::uint64_t>(bound_ms_) + 1));
  bound_ms_ = std::min(options_.cap_ms, bound_ms_ * 2);
  return std::max(wait_ms, at_least_ms);
}

}  // namespace qylon

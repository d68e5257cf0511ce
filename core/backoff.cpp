#include "core/backoff.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace qylon {

Backoff::Backoff(const Options& options)
    : options_(options), bound_ms_(options.base_ms), jitter_(options.seed) {
  QYLON_CHECK(options.base_ms >= 1 && options.base_ms <= options.cap_ms);
}

std::int64_t Backoff::next_ms(std::int64_t at_least_ms) {
  const std::int64_t wait_ms = jitter_.between(0, bound_ms_ + 1);
  bound_ms_ = std::min(options_.cap_ms, bound_ms_ * 2);
  return std::max(wait_ms, at_least_ms);
}

}  // namespace qylon

#pragma once
/// Spreads what would otherwise happen to everybody at the same moment.

#include <cstdint>

namespace qylon {

/// Not for secrets. Threads: one object per thread.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (SplitMix64).
class Jitter {
 public:
  explicit Jitter(std::uint64_t seed) : state_(seed) {}

  /// Uniform in [low, high). REQUIRES: low < high. The same on every machine, which
  /// std::uniform_int_distribution does not promise.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    state_ += 0x9E37'79B9'7F4A'7C15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58'476D'1CE4'E5B9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D0'49BB'1331'11EBU;
    mixed ^= mixed >> 31;
    return low + static_cast<std::int64_t>(mixed % static_cast<std::uint64_t>(high - low));
  }

 private:
  std::uint64_t state_;
};

}  // namespace qylon

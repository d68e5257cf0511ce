#pragma once
/// How much undecoded speech may wait, over all sessions of an engine: admission by seconds of
/// speech, not by connections.

#include <atomic>
#include <cstdint>

#include "models/recogniser.hpp"

namespace qylon::models {

/// Threads: every method is safe from any thread and wait-free.
class SpeechBudget {
 public:
  /// REQUIRES: samples_max > 0 [samples at 16 kHz].
  explicit SpeechBudget(std::int64_t samples_max) : samples_max_(samples_max) {}

  /// Takes `samples` when they fit, else takes nothing and returns false.
  [[nodiscard]] bool try_take(std::int64_t samples) noexcept {
    std::int64_t held = held_.load(std::memory_order_relaxed);
    do {
      if (held + samples > samples_max_) return false;
    } while (!held_.compare_exchange_weak(held, held + samples, std::memory_order_relaxed));
    return true;
  }
  void give_back(std::int64_t samples) noexcept {
    held_.fetch_sub(samples, std::memory_order_relaxed);
  }
  std::int64_t held_samples() const noexcept { return held_.load(std::memory_order_relaxed); }

 private:
  const std::int64_t samples_max_;  // Constant after construction.
  std::atomic<std::int64_t> held_{0};
};

/// Duration of `samples` at the recognisers' rate [ms], rounded down.
constexpr std::int64_t samples_to_ms(std::int64_t samples) noexcept {
  return samples * 1000 / kRecogniserRateHz;
}
constexpr std::int64_t ms_to_samples(std::int64_t ms) noexcept {
  return ms * kRecogniserRateHz / 1000;
}

}  // namespace qylon::models

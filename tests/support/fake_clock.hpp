#pragma once

#include <atomic>
#include <cstdint>

#include "core/clock.hpp"

namespace qylon::test {

/// A clock that moves only when the test says so. Both readings start at `start_us`.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::int64_t start_us = 1'000'000'000) : now_us_(start_us) {}

  std::int64_t monotonic_us() const noexcept override { return now_us_.load(); }
  std::int64_t wall_us() const noexcept override { return now_us_.load() + wall_step_us_.load(); }

  void advance_us(std::int64_t delta_us) { now_us_ += delta_us; }
  void advance_ms(std::int64_t delta_ms) { now_us_ += delta_ms * 1000; }
  /// Moves only the wall clock, as an operator or NTP does.
  void step_wall_us(std::int64_t delta_us) { wall_step_us_ += delta_us; }

 private:
  std::atomic<std::int64_t> now_us_;
  std::atomic<std::int64_t> wall_step_us_{0};
};

}  // namespace qylon::test

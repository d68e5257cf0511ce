#pragma once
/// Time as a constructor argument, so that tests can turn it by hand.

#include <cstdint>

namespace qylon {

/// Threads: every method is safe from any thread.
class Clock {
 public:
  Clock() = default;
  virtual ~Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  Clock(Clock&&) = delete;
  Clock& operator=(Clock&&) = delete;

  /// Microseconds since an arbitrary start; never goes back. For timers and durations.
  virtual std::int64_t monotonic_us() const noexcept = 0;
  /// Microseconds since 1970-01-01T00:00:00Z; may jump. For time stamps that people read.
  virtual std::int64_t wall_us() const noexcept = 0;
};

class SystemClock final : public Clock {
 public:
  std::int64_t monotonic_us() const noexcept override;
  std::int64_t wall_us() const noexcept override;
};

}  // namespace qylon

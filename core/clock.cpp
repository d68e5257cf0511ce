#include "core/clock.hpp"

#include <chrono>

namespace qylon {
namespace {

template <typename Source>
std::int64_t now_us() noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(Source::now().time_since_epoch())
      .count();
}

}  // namespace

std::int64_t SystemClock::monotonic_us() const noexcept {
  return now_us<std::chrono::steady_clock>();
}
std::int64_t SystemClock::wall_us() const noexcept {
  return now_us<std::chrono::system_clock>();
}

}  // namespace qylon

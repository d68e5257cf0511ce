#pragma once
/// Waiting for what another thread or process does, bounded.

#include <chrono>
#include <functional>

#include <poll.h>

namespace qylon::test {

/// Asks `done` every 5 ms until it is true; false when `limit` passed first.
inline bool poll_until(const std::function<bool()>& done,
                       std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

}  // namespace qylon::test

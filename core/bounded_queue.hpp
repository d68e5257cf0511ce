#pragma once
/// Bounded multi-producer queue: the only way work crosses threads. Full means refuse, never grow.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "core/check.hpp"
#include "core/sync.hpp"

namespace qylon {

/// Threads: every method is safe from any thread.
template <typename T>
class BoundedQueue {
 public:
  /// REQUIRES: capacity >= 1 [items].
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) { QYLON_CHECK(capacity >= 1); }

  /// Takes `item` and returns true; when the queue holds `capacity` items or is closed it counts a
  /// refusal, leaves `item` untouched and returns false, so that the caller can keep it.
  [[nodiscard]] bool try_push(T&& item) QYLON_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (closed_ || items_.size() >= capacity_) {
        ++refused_;
        return false;
      }
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
    return true;
  }
  [[nodiscard]] bool try_push(const T& item) QYLON_EXCLUDES(mutex_) { return try_push(T(item)); }

  /// Returns the oldest item, or nothing when empty. Never blocks.
  std::optional<T> try_pop() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return take_front();
  }

  /// Blocks up to `timeout` for an item. Returns nothing on timeout, or when closed and empty.
  std::optional<T> pop_for(std::chrono::microseconds timeout) QYLON_EXCLUDES(mutex_) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const MutexLock lock(mutex_);
    while (items_.empty() && !closed_) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) break;
      ready_.wait_for(mutex_, std::chrono::ceil<std::chrono::microseconds>(left));
    }
    return take_front();
  }

  /// Blocks for an item. Returns nothing only when closed and empty.
  std::optional<T> pop() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (items_.empty() && !closed_)
      ready_.wait(mutex_);
    return take_front();
  }

  /// Refuses every later push and wakes every waiter; what is queued can still be popped.
  void close() QYLON_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
  }

  bool closed() const QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return closed_;
  }
  std::size_t size() const QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return items_.size();
  }
  std::size_t capacity() const noexcept { return capacity_; }
  std::uint64_t refused() const QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return refused_;
  }

 private:
  std::optional<T> take_front() QYLON_REQUIRES(mutex_) {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }

  const std::size_t capacity_;  // Constant after construction.
  mutable Mutex mutex_;
  Condition ready_;
  std::deque<T> items_ QYLON_GUARDED_BY(mutex_);
  std::uint64_t refused_ QYLON_GUARDED_BY(mutex_) = 0;
  bool closed_ QYLON_GUARDED_BY(mutex_) = false;
};

}  // namespace qylon

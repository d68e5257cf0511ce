#pragma once
/// Mutex with Clang thread-safety annotations (checked by the `clang` preset, no-ops under GCC).
/// libstdc++'s std::mutex carries none, so lock-protected state uses these instead.

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define QYLON_TSA(x) __attribute__((x))
#else
#define QYLON_TSA(x)
#endif
#define QYLON_GUARDED_BY(mutex) QYLON_TSA(guarded_by(mutex))
#define QYLON_REQUIRES(mutex) QYLON_TSA(requires_capability(mutex))
#define QYLON_EXCLUDES(mutex) QYLON_TSA(locks_excluded(mutex))

namespace qylon {

class QYLON_TSA(capability("mutex")) Mutex {
 public:
  void lock() QYLON_TSA(acquire_capability()) { mutex_.lock(); }
  void unlock() QYLON_TSA(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class QYLON_TSA(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) QYLON_TSA(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() QYLON_TSA(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  MutexLock(MutexLock&&) = delete;
  MutexLock& operator=(MutexLock&&) = delete;

 private:
  Mutex& mutex_;
};

/// Condition variable for state guarded by a Mutex. Wake-ups may be spurious: wait in a loop.
class Condition {
 public:
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

  /// Releases `mutex`, waits for a notification, takes it again.
  void wait(Mutex& mutex) QYLON_REQUIRES(mutex) { condition_.wait(mutex); }

  /// As wait(); returns false when `timeout` passed first.
  bool wait_for(Mutex& mutex, std::chrono::microseconds timeout) QYLON_REQUIRES(mutex) {
    return condition_.wait_for(mutex, timeout) == std::cv_status::no_timeout;
  }

 private:
  std::condition_variable_any condition_;
};

}  // namespace qylon

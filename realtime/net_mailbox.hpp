#pragma once
/// What other threads hand to one net thread.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "core/sync.hpp"
#include "realtime/delivery.hpp"

namespace qylon::realtime {

/// Runs things on the net thread that owns a session.
class NetExecutor {
 public:
  using Task = std::function<void()>;

  NetExecutor() = default;
  virtual ~NetExecutor() = default;
  NetExecutor(const NetExecutor&) = delete;
  NetExecutor& operator=(const NetExecutor&) = delete;
  NetExecutor(NetExecutor&&) = delete;
  NetExecutor& operator=(NetExecutor&&) = delete;

  /// Any thread; never blocks. Returns false when the thread has stopped: `task` is dropped.
  virtual bool post(Task task) = 0;
};

/// Threads : every method is safe from any thread; take() is for the owner.
/// Bounds  : publications: `publications_max`; an interim, status or level replaces an older one
///           with its key in place, else is dropped when full; of a final that is dropped the owner
///           learns through finals_lost. Tasks: one a question that a connection asked (a reply,
///           an open, a page), hence at most two a connection.
class NetMailbox final : public NetExecutor {
 public:
  enum class Pushed : std::uint8_t { kQueued, kReplaced, kDropped };
  struct Mail {
    std::vector<Task> tasks;
    std::vector<DeliveryPtr> deliveries;
    bool finals_lost = false;  ///< Compare every subscriber's position with the rings.
  };

  explicit NetMailbox(std::size_t publications_max) : publications_max_(publications_max) {}

  /// `wake` makes the owner call take(); it is called under the lock, so never after close().
  void open(std::function<void()> wake) QYLON_EXCLUDES(mutex_);
  /// Drops what waits and everything that comes later.
  void close() QYLON_EXCLUDES(mutex_);

  bool post(Task task) override QYLON_EXCLUDES(mutex_);
  Pushed push(const DeliveryPtr& delivery) QYLON_EXCLUDES(mutex_);
  Mail take() QYLON_EXCLUDES(mutex_);

 private:
  Pushed place(const DeliveryPtr& delivery) QYLON_REQUIRES(mutex_);
  void wake_owner() QYLON_REQUIRES(mutex_);

  const std::size_t publications_max_;  // Constant after construction.
  Mutex mutex_;
  std::function<void()> wake_ QYLON_GUARDED_BY(mutex_);
  bool awake_ QYLON_GUARDED_BY(mutex_) = false;
  bool closed_ QYLON_GUARDED_BY(mutex_) = false;
  Mail mail_ QYLON_GUARDED_BY(mutex_);
  std::unordered_map<ConflationKey, std::size_t, ConflationKeyHash> replaceable_
      QYLON_GUARDED_BY(mutex_);  // Key -> index in mail_.deliveries.
};

}  // namespace qylon::realtime

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/http.hpp"
#include "core/sync.hpp"
#include "core/transcript.hpp"

namespace qylon::api {

/// Requests that wait for a meeting's end, each until its deadline. Whoever takes one answers it,
/// so that the end and the deadline cannot both do so.
///
/// Bounds  : `waits_max` at once; more are refused.
/// Threads : every method is safe from any thread.
class EndWaits {
 public:
  using Ticket = std::uint64_t;
  struct Wait {
    MeetingInfo meeting;
    HttpReply reply;
    std::int64_t deadline_us = 0;
  };

  explicit EndWaits(std::size_t waits_max) : waits_max_(waits_max) {}

  /// Nothing when `waits_max` requests wait already.
  std::optional<Ticket> add(Wait wait) QYLON_EXCLUDES(mutex_);
  /// The wait, when nobody took it before.
  std::optional<Wait> take(Ticket ticket) QYLON_EXCLUDES(mutex_);
  /// Every wait whose deadline is not after `now_us`.
  std::vector<Wait> take_expired(std::int64_t now_us) QYLON_EXCLUDES(mutex_);
  bool empty() const QYLON_EXCLUDES(mutex_);

 private:
  const std::size_t waits_max_;  // Constant after construction.
  mutable Mutex mutex_;
  std::map<Ticket, Wait> waits_ QYLON_GUARDED_BY(mutex_);
  Ticket next_ QYLON_GUARDED_BY(mutex_) = 1;
};

}  // namespace qylon::api

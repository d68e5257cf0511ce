#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>

#include "api/end_waits.hpp"
#include "core/clock.hpp"
#include "core/http.hpp"
#include "core/sync.hpp"
#include "core/transcript.hpp"

namespace qylon::api {

/// Requests to end a meeting while its last words are still being recognised: each is answered when
/// the end is there, or with 202 when that takes too long.
///
/// Threads : every method is safe from any thread; one thread of its own, which sleeps while nobody
///           waits, gives the 202s, at most 100 ms late.
/// Bounds  : `waits_max` at once.
class MeetingEnds {
 public:
  struct Options {
    std::int64_t wait_ms = 20'000;
    std::size_t waits_max = 256;
  };

  /// `clock` must outlive the object.
  MeetingEnds(const Options& options, const Clock& clock);
  ~MeetingEnds();
  MeetingEnds(const MeetingEnds&) = delete;
  MeetingEnds& operator=(const MeetingEnds&) = delete;
  MeetingEnds(MeetingEnds&&) = delete;
  MeetingEnds& operator=(MeetingEnds&&) = delete;

  /// Nothing when too many wait already. `meeting` is what a 202 shows.
  std::optional<EndWaits::Ticket> add(const MeetingInfo& meeting, HttpReply reply)
      QYLON_EXCLUDES(mutex_);
  /// Does nothing when the request has had its 202.
  void answer(EndWaits::Ticket ticket, HttpResponse response);

 private:
  void expire_until(const std::stop_token& stop) QYLON_EXCLUDES(mutex_);
  void wake() QYLON_EXCLUDES(mutex_);

  const Options options_;  // Constant after construction.
  const Clock& clock_;
  EndWaits waits_;
  Mutex mutex_;  // Orders a new wait, or the stop, before or after the thread's look.
  Condition wake_;
  std::jthread thread_;  // Last: it uses everything above.
};

}  // namespace qylon::api

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.hpp"
#include "core/meeting_gate.hpp"
#include "core/result.hpp"
#include "core/sync.hpp"

namespace qylon::api {

/// One-time tickets for WebSockets, whose URL must not carry a token: 256 random bits that live a
/// minute and are gone with their first use.
///
/// Bounds  : tickets_max at once; more are refused until some have expired.
/// Threads : any.
class Tickets {
 public:
  static constexpr std::int64_t kLifeUs = 60'000'000;

  /// `clock` must outlive the object.
  explicit Tickets(const Clock& clock, std::size_t tickets_max = 10'000)
      : clock_(clock), tickets_max_(tickets_max) {}

  /// "qyt_" and 43 characters of base64url. Errors: kOverloaded.
  Result<std::string> issue(const MeetingPass& pass) QYLON_EXCLUDES(mutex_);
  /// Errors: kUnauthenticated when it is unknown, used or too old.
  Result<MeetingPass> redeem(std::string_view ticket) QYLON_EXCLUDES(mutex_);

 private:
  struct Kept {
    MeetingPass pass;
    std::int64_t expires_us;
  };

  const Clock& clock_;
  const std::size_t tickets_max_;
  Mutex mutex_;
  // By digest: how long a look-up takes tells nothing about a ticket.
  std::unordered_map<std::string, Kept> kept_ QYLON_GUARDED_BY(mutex_);
};

}  // namespace qylon::api

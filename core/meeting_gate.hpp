#pragma once
/// Who may hear a meeting, and who may speak into it.

#include <cstdint>
#include <functional>
#include <string_view>

#include "core/ids.hpp"
#include "core/principal.hpp"
#include "core/result.hpp"

namespace qylon {

enum class MeetingVerb : std::uint8_t {
  kSee,    ///< Captions, status, levels.
  kSpeak,  ///< Audio.
};

/// What a one-time ticket is good for.
struct MeetingPass {
  MeetingId meeting;
  MeetingVerb verb = MeetingVerb::kSee;
  std::int64_t session_us = 0;  ///< How long a session that it opened may last.
};

/// Threads: every method is safe from any thread and does not block.
class MeetingGate {
 public:
  using Answer = std::function<void(const Status&)>;

  MeetingGate() = default;
  virtual ~MeetingGate() = default;
  MeetingGate(const MeetingGate&) = delete;
  MeetingGate& operator=(const MeetingGate&) = delete;
  MeetingGate(MeetingGate&&) = delete;
  MeetingGate& operator=(MeetingGate&&) = delete;

  /// Calls `answer` once, perhaps inside, on any thread. Errors: kNotFound for a meeting that the
  /// principal does not see, kForbidden for one that it only sees; kOverloaded, kUnavailable.
  virtual void ask(const Principal& principal,
                   MeetingId meeting,
                   MeetingVerb verb,
                   Answer answer) = 0;

  /// Takes the ticket: nobody can use it again.
  /// Errors: kUnauthenticated when it is unknown, used, or older than a minute.
  virtual Result<MeetingPass> redeem(std::string_view ticket) = 0;
};

}  // namespace qylon

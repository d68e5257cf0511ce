#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/meeting_gate.hpp"
#include "realtime/session.hpp"

namespace qylon::realtime {

/// Whom a session speaks for, by ticket or token, and which meetings that opens to it.
///
/// Threads: the session's net thread; MeetingGate may answer on any thread, through `executor`.
class Admission {
 public:
  using Answer = MeetingGate::Answer;

  Admission(const SessionParts& parts, SessionPeer peer, std::shared_ptr<NetExecutor> executor);

  /// Calls `answer` with ok when the peer may do `verb` in all of `meetings`: at once for the
  /// server's own token and for tickets, else when the gate has answered. `token` is the message's;
  /// the first call decides who the peer is.
  /// Errors: kUnauthenticated; those of MeetingGate; kForbidden for another meeting or verb than
  /// the ticket's.
  void ask(const std::string& token,
           std::vector<MeetingId> meetings,
           MeetingVerb verb,
           Answer answer);

  bool identified() const noexcept { return principal_.has_value() || pass_.has_value(); }
  /// The ticket's time is over.
  bool expired(std::int64_t now_us) const noexcept { return ends_us_ != 0 && now_us > ends_us_; }
  const SessionPeer& peer() const noexcept { return peer_; }

 private:
  Status identify(const std::string& token);
  Status judge_pass(const std::vector<MeetingId>& meetings, MeetingVerb verb) const;

  const SessionParts& parts_;
  const SessionPeer peer_;
  const std::shared_ptr<NetExecutor> executor_;
  std::optional<Principal> principal_;  // One of both, once identified.
  std::optional<MeetingPass> pass_;
  std::int64_t ends_us_ = 0;  // 0: with the connection.
};

}  // namespace qylon::realtime

#pragma once
/// A WebSocket session as its connection sees it, and the connection as its session sees it. No
/// libwebsockets here, so that sessions are tested without sockets.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/access.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/jitter.hpp"
#include "core/meeting_gate.hpp"
#include "core/result.hpp"
#include "media/ingress.hpp"
#include "realtime/delivery.hpp"
#include "realtime/footprint.hpp"
#include "realtime/history.hpp"
#include "realtime/meeting_rings.hpp"
#include "realtime/net_mailbox.hpp"

namespace qylon::realtime {

class Fanout;

/// Threads: the connection's net thread.
class SessionPort {
 public:
  SessionPort() = default;
  virtual ~SessionPort() = default;
  SessionPort(const SessionPort&) = delete;
  SessionPort& operator=(const SessionPort&) = delete;
  SessionPort(SessionPort&&) = delete;
  SessionPort& operator=(SessionPort&&) = delete;

  /// Writes at once when nothing waits, else queues; never dropped.
  virtual void send(Frame frame) = 0;
  /// As send(), under the outbox's rules for conflation and dropping.
  virtual void send(const Delivery& delivery) = 0;
  virtual std::size_t queued_bytes() const noexcept = 0;
  /// What send() reads.
  virtual Footprint<3> footprint() const noexcept { return {}; }
  virtual void pause_receiving(bool paused) = 0;
  /// Sends what is queued, then a close frame; nothing is received any more.
  virtual void close(int code) = 0;
};

/// Metrics of the edge, registered once.
struct EdgeCounters {
  explicit EdgeCounters(Counters& counters);

  Gauge& connections;
  Gauge& uplinks;
  Gauge& subscribers;
  Counter& http_requests;
  Counter& refused_requests;
  Counter& refused_connections;
  Gauge& newcomers;
  Counter& newcomers_shed;
  Counter& accept_pauses;
  Counter& messages_sent;
  Counter& messages_dropped;
  Counter& finals_refetched;
  Counter& slow_readers;
  Counter& shed_readers;
  Counter& memory_refusals;
  Counter& uplink_frames;
  Counter& uplink_stalls;
  Counter& uplinks_slowed;
  Counter& session_errors;
};

/// What every session of one net thread shares; all outlive the sessions.
struct SessionParts {
  const Clock& clock;
  const Access& access;
  media::Ingress& ingress;
  History& history;
  const MeetingRings& rings;
  Fanout& fanout;
  EdgeCounters& counters;
  Jitter& jitter;
  MeetingGate& gate;
};

/// Who asks.
struct SessionPeer {
  std::string token;  ///< From the Authorization header; empty: the first message may bring one.
  bool is_loopback = false;
  std::string ticket = {};  ///< From the URL's `ticket`; when there is one it decides alone.
};

/// An end of a session that its client is told.
struct SessionError {
  ErrorCode code = ErrorCode::kInternal;
  int close = 1011;  ///< 4000-4499: a jittered retry_after_ms is added.
  std::string message;
};

/// Threads: one object per connection, its net thread.
class Session {
 public:
  Session(SessionPort& port, const SessionParts& parts) : port_(port), parts_(parts) {}
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;

  virtual void on_text(std::string_view text) = 0;
  virtual void on_binary(std::span<const std::uint8_t> bytes) = 0;
  /// Every 100 ms.
  virtual void on_tick() = 0;
  /// Every 20 ms while wants_fast_tick().
  virtual void on_fast_tick() {}
  virtual bool wants_fast_tick() const noexcept { return false; }
  /// It is known whom this session speaks for.
  virtual bool identified() const noexcept = 0;
  /// The outbox is empty again after it was not.
  virtual void on_drained() {}

  /// Error frame, then close. Later calls do nothing.
  void fail(const SessionError& error);
  bool failed() const noexcept { return failed_; }

 protected:
  SessionPort& port_;
  const SessionParts& parts_;

 private:
  bool failed_ = false;
};

/// The refusal that `error` means to a WebSocket client.
SessionError session_error(const Error& error);

inline constexpr std::int64_t kHelloTimeoutUs = 5'000'000;

}  // namespace qylon::realtime

#pragma once
/// The one door: HTTP and WebSocket on one port.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/access.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/http.hpp"
#include "core/log.hpp"
#include "core/meeting_gate.hpp"
#include "core/result.hpp"
#include "media/ingress.hpp"
#include "realtime/history.hpp"
#include "realtime/hub.hpp"

namespace qylon::realtime {

class Session;
class SessionPort;
struct SessionParts;

/// Sessions by path beside /v1/uplink and /v1/subscribe; tests serve an echo so.
using FurtherSessions =
    std::map<std::string,
             std::function<std::shared_ptr<Session>(SessionPort& port, const SessionParts& parts)>>;

/// Accepts connections, refuses what docs/PROTOCOL.md and RFC 9112 refuse, answers HTTP through
/// the HttpHandler and runs the WebSocket sessions of /v1/uplink and /v1/subscribe.
///
/// Threads : one acceptor and `net_threads` net threads, each with its own libwebsockets context;
///           a connection lives on one net thread from accept to close.
/// Cost    : about 5 KB a connection in libwebsockets and 2 KB here.
/// Errors  : start() kInvalidArgument for an address that cannot be parsed, kUnavailable when it
///           cannot be bound or a net thread cannot start.
class EdgeServer {
 public:
  struct Options {
    std::string host = "127.0.0.1";  ///< Numeric IPv4 or IPv6 address, or "localhost".
    int port = 8080;                 ///< 0 picks a free one, see port().
    std::vector<int> also_ports;     ///< Of the same host, with the same behind them.
    int net_threads = 1;             ///< 1..64.
    /// Browser origins beside the server's own, e.g. "https://app.example"; "*" takes all.
    std::vector<std::string> allowed_origins;
    std::string tls_certificate_path;           ///< PEM chain; empty: plain HTTP.
    std::string tls_key_path;                   ///< PEM.
    std::size_t connections_max = 15'000;       ///< All peers together.
    std::size_t connections_per_peer_max = 64;  ///< Per address; loopback is exempt.
    std::size_t accepts_per_peer_per_s = 20;    ///< Per address; loopback is exempt.
    /// Connections of which nobody knows yet what they want; beyond it they wait to be accepted.
    std::size_t newcomers_max = 1'000;
    /// Resident memory beyond 80 % of it refuses new connections, beyond 90 % closes the slowest
    /// readers; 0: what the machine or the control group has.
    std::size_t memory_bytes_max = 0;
    std::size_t http_body_bytes_max = 1 << 20;    ///< More is 413.
    std::int64_t http_reply_timeout_ms = 60'000;  ///< A handler that stays silent so long is 503.
    FurtherSessions further_sessions;
  };
  /// All must outlive the server.
  struct Parts {
    HttpHandler& http;
    const Access& access;
    media::Ingress& ingress;
    History& history;
    const Log& log;
    Counters& counters;
    const Clock& clock;
    MeetingGate& gate;
  };

  static Result<std::unique_ptr<EdgeServer>> start(const Options& options, const Parts& parts);

  EdgeServer() = default;
  /// Closes what is open with 1001 and joins the threads. After it no callback into Parts comes,
  /// and late answers from them are dropped.
  virtual ~EdgeServer() = default;
  EdgeServer(const EdgeServer&) = delete;
  EdgeServer& operator=(const EdgeServer&) = delete;
  EdgeServer(EdgeServer&&) = delete;
  EdgeServer& operator=(EdgeServer&&) = delete;

  virtual int port() const noexcept = 0;
  virtual Hub& hub() noexcept = 0;
  /// Runs `task` once on every net thread, soon. Any thread; returns at once.
  virtual void for_each_net_thread(const std::function<void()>& task) = 0;
  /// Stops accepting, and closes every WebSocket session with 4000 and a retry_after_ms spread
  /// over 10 s. HTTP requests in flight are still answered. Any thread; returns at once.
  virtual void drain() = 0;
  /// Reads certificate and key again, for connections that come from now on; those that are open
  /// stay. Does nothing without TLS. Any thread.
  /// Errors: kInvalidArgument when they cannot be used: the old ones stay in use.
  virtual Status reload_tls() = 0;
};

}  // namespace qylon::realtime

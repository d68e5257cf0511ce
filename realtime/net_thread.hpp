#pragma once
/// One net thread: a libwebsockets context without a listener on its own libev loop, and the
/// connections that were handed to it.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "realtime/connection.hpp"
#include "realtime/edge_server.hpp"
#include "realtime/net_mailbox.hpp"

namespace qylon::realtime {

/// Threads: the public methods are safe from any thread.
class NetThread {
 public:
  struct Options {
    std::string tls_certificate_path;  ///< Empty: no TLS.
    std::string tls_key_path;
    EdgeRules rules;
    FurtherSessions further_sessions;
    std::int64_t http_reply_timeout_ms = 60'000;
    std::uint64_t jitter_seed = 0;
  };
  /// All must outlive the thread.
  struct Shared {
    const EdgeServer::Parts& parts;
    const MeetingRings& rings;
    EdgeCounters& counters;
    MemoryWatch& memory;
    Newcomers& newcomers;
    /// Called on the net thread when a connection handed over by adopt() is gone.
    std::function<void(const PeerAddress&)> on_gone;
  };

  /// Errors: kUnavailable when libwebsockets cannot start, e.g. for a certificate that cannot be
  /// read.
  static Result<std::unique_ptr<NetThread>> start(const Options& options, const Shared& shared);
  /// Closes what is open with 1001 and joins.
  ~NetThread();
  NetThread(const NetThread&) = delete;
  NetThread& operator=(const NetThread&) = delete;
  NetThread(NetThread&&) = delete;
  NetThread& operator=(NetThread&&) = delete;

  /// Takes the accepted socket `fd` over.
  void adopt(int fd, PeerAddress peer, Newcomers::Place place);
  NetMailbox::Pushed deliver(const DeliveryPtr& delivery);
  /// Runs `task` on the net thread, soon; dropped once the thread has ended.
  void post(std::function<void()> task);
  void close_meeting_uplinks(MeetingId meeting);
  void drain();
  /// Reads the certificate and key again.
  void reload_tls();

  class Loop;  // Public only so that libwebsockets' callback can name it.

 private:
  explicit NetThread(std::shared_ptr<Loop> loop);

  std::shared_ptr<Loop> loop_;
};

}  // namespace qylon::realtime

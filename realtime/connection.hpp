#pragma once
/// One TCP connection on its net thread, from accept to close: HTTP exchanges, then perhaps a
/// WebSocket session.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/http.hpp"
#include "realtime/edge_server.hpp"
#include "realtime/first_look.hpp"
#include "realtime/http_exchange.hpp"
#include "realtime/ingest_upload.hpp"
#include "realtime/memory_watch.hpp"
#include "realtime/newcomers.hpp"
#include "realtime/outbox.hpp"
#include "realtime/request_rules.hpp"
#include "realtime/session.hpp"
#include "realtime/source_request.hpp"
#include "realtime/uplink_session.hpp"

struct ev_loop;
struct lws;

namespace qylon::realtime {

/// What a connection shares with the others of its thread. All outlive it.
struct ConnectionParts {
  const SessionParts& sessions;
  HttpHandler& http;
  MemoryWatch& memory;
  Newcomers& newcomers;
  const FurtherSessions& further_sessions;
  const EdgeRules& rules;
  std::shared_ptr<NetExecutor> executor;
  std::int64_t http_reply_timeout_us = 60'000'000;
  bool is_tls = false;
  struct ev_loop* loop = nullptr;    ///< Constant before the first connection.
  bool draining = false;             ///< Changes once, on the net thread.
  std::string scratch;               ///< For merged writes.
  std::function<void()> on_stalled;  ///< An uplink wants the fast tick.
  Frame ping = make_ping_frame();
};

struct PeerAddress {
  std::string text;  ///< "127.0.0.1", "::1".
  bool is_loopback = false;
};

/// Every on_...() answers a libwebsockets callback: 0 goes on, -1 closes the socket.
///
/// Threads: its net thread.
class Connection final : public SessionPort {
 public:
  Connection(ConnectionParts& parts, std::uint64_t id, PeerAddress peer, Newcomers::Place newcomer);
  ~Connection() override;

  std::uint64_t id() const noexcept { return id_; }
  const PeerAddress& peer() const noexcept { return peer_; }
  void attach(lws* wsi) noexcept { wsi_ = wsi; }
  /// Before libwebsockets has the socket. REQUIRES: once.
  void watch_first_bytes(int fd);
  Session* session() noexcept { return session_.get(); }
  /// The uplink session, or null.
  UplinkSession* uplink() noexcept { return uplink_; }

  int on_http();
  int on_http_body(std::string_view bytes);
  int on_http_body_complete();
  int on_http_writeable();
  /// Answers what is wrong with the upgrade itself; returns -1 then.
  int on_confirm_upgrade();
  /// Bytes of a request whose method libwebsockets does not serve: SOURCE, CONNECT, nonsense.
  int on_raw(std::string_view bytes);
  void on_established();
  void on_message_part(std::string_view bytes);
  void on_pong();
  int on_websocket_writeable();
  void on_peer_close() noexcept { closing_ = true; }
  void on_closed();

  /// Fetches what on_second() reads.
  void prefetch() const noexcept {
    __builtin_prefetch(this);
    __builtin_prefetch(&session_);
    __builtin_prefetch(&heard_us_);
  }
  /// Once a second: timeouts and pings.
  void on_second();
  /// Close with an error frame, if this is a session.
  void drain();
  /// The thread ends: what waits and a close frame, as far as the socket takes it now.
  void say_goodbye();

  void send(Frame frame) override;
  void send(const Delivery& delivery) override;
  std::size_t queued_bytes() const noexcept override { return outbox_.bytes(); }
  Footprint<3> footprint() const noexcept override;
  void pause_receiving(bool paused) override;
  void close(int code) override;

 private:
  friend class ConnectionWheel;

  int refuse(const HttpRefusal& refusal);
  int begin_upload(const UploadHead& head);
  void on_answer();
  int finish_request();
  int pump_response();
  int complete_response();
  void watch_http(std::int64_t now_us);
  void watch_response(std::int64_t now_us);
  void watch_websocket(std::int64_t now_us);
  bool can_write_now() const;
  bool write_now(const std::string& bytes);
  void after_push(Outbox::Pushed pushed);
  void too_slow();
  void shed();
  void shed_newcomer();
  void hang_up();

  // What every send() reads stands together, see footprint().
  ConnectionParts& parts_;
  lws* wsi_ = nullptr;
  int socket_ = -1;  // Of the WebSocket.
  bool closing_ = false;
  bool broken_ = false;
  int close_code_ = 0;
  Outbox outbox_;
  const std::uint64_t id_;
  std::size_t wheel_place_ = 0;
  const PeerAddress peer_;

  // HTTP.
  std::uint64_t requests_ = 0;
  std::shared_ptr<HttpExchange> exchange_;
  FirstLook first_look_;
  SourceRequest source_;
  std::unique_ptr<IngestUpload> upload_;  // Of an exchange whose body is a live stream.
  std::int64_t exchange_since_us_ = 0;    // Of the request, then of the last written piece.
  std::int64_t unread_since_us_ = 0;      // Bytes wait behind a response in progress since.
  bool input_may_follow_ = false;         // The request has a body, read or not.
  std::int64_t lingering_since_us_ = 0;   // The last answer was sent; its peer still writes.
  std::string upgrade_path_;
  std::string upgrade_token_;
  std::string upgrade_ticket_;

  // WebSocket.
  std::shared_ptr<Session> session_;
  UplinkSession* uplink_ = nullptr;
  std::string message_;  // Fragments of a message that is not whole yet.
  bool paused_ = false;
  std::int64_t closing_since_us_ = 0;
  std::int64_t established_us_ = 0;
  std::int64_t heard_us_ = 0;
  bool pinged_ = false;
  Newcomers::Place newcomer_;
};

}  // namespace qylon::realtime

#pragma once
/// An upload to /v1/ingest on its connection: finds where the body ends, and feeds the session.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "core/http.hpp"
#include "realtime/body_decoder.hpp"
#include "realtime/body_socket.hpp"
#include "realtime/ingest_session.hpp"

namespace qylon::realtime {

/// Threads: the connection's net thread.
class IngestUpload final : public IngestPort {
 public:
  /// All outlive the upload.
  struct Parts {
    lws* wsi;
    struct ev_loop* loop;
    const SessionParts& sessions;
    HttpHandler& http;
    std::shared_ptr<NetExecutor> executor;
    /// One of both is called once, when the exchange ends; perhaps inside start().
    std::function<void(HttpResponse)> answer;
    std::function<void()> close;  ///< After an answer that was given before the body.
  };

  /// True when the request is one for create().
  static bool is_wanted(const RequestHead& head) noexcept;
  /// REQUIRES: check_request() found nothing; libwebsockets does not read.
  static std::variant<std::unique_ptr<IngestUpload>, HttpRefusal> create(
      Parts parts,
      const UploadHead& head,
      const std::string& peer_address,
      bool peer_is_loopback);

  void start() {
    session_->start();
    on_body({});  // A length of 0 has come in full.
  }
  /// Undecoded bytes of the body, those that libwebsockets had read with the header.
  void on_body(std::string_view bytes);
  /// The server is going away.
  void drain() { session_->fail(503, "the server is draining; send again"); }

  void pause_receiving(bool paused) override { socket_.pause(paused); }
  void proceed() override;
  void answer(HttpResponse response) override;

 private:
  IngestUpload(Parts parts, const BodyPlan& plan, std::string welcome, IngestSession::Asked asked);

  void welcome();
  void on_tick();
  void on_end_of_connection();

  const Parts parts_;
  const std::string welcome_;  // Says that the body may come; may be empty.
  const bool is_source_;       // Its welcome is all the answer that it waits for.
  bool opened_ = false;
  bool welcomed_ = false;
  int ticks_ = 0;
  bool begun_ = false;  // Some of the body was here before the welcome.
  BodyDecoder body_;
  std::string decoded_;  // Kept for its room.
  BodySocket socket_;
  const std::shared_ptr<IngestSession> session_;
};

}  // namespace qylon::realtime

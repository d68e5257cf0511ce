#include "realtime/connection.hpp"

#include <utility>

#include <libwebsockets.h>
#include <sys/socket.h>

#include "realtime/lws_request.hpp"
#include "realtime/lws_socket.hpp"
#include "realtime/subscribe_session.hpp"

namespace qylon::realtime {
namespace {

constexpr std::size_t kWireMessageBytesMax = 64 << 10;
constexpr std::size_t kMergedBytes = 64 << 10;
constexpr std::int64_t kPingAfterUs = 20'000'000;
constexpr std::int64_t kHangUpAfterUs = 30'000'000;
constexpr std::int64_t kCloseGraceUs = 5'000'000;
constexpr std::int64_t kIdleMaxUs = 60'000'000;  // libwebsockets' own limit is 30 s.
constexpr std::int64_t kLingerUs = 1'000'000;
constexpr std::int64_t kUnreadMaxUs = 2'000'000;
constexpr std::int64_t kBodyMaxUs = 30'000'000;
constexpr std::int64_t kResponseStallUs = 10'000'000;

}  // namespace

Connection::Connection(ConnectionParts& parts, std::uint64_t id, PeerAddress peer)
    : parts_(parts), id_(id), peer_(std::move(peer)) {
  parts_.sessions.counters.connections.add(1);
}

Connection::~Connection() {
  parts_.sessions.counters.connections.add(-1);
}

void Connection::hang_up() {
  broken_ = true;
  lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

// ---- HTTP

int Connection::on_http() {
  parts_.sessions.counters.http_requests.add();
  const RequestHead head = read_request_head(wsi_);
  if (++requests_ > 1 && announces_body(head) && input_may_be_buffered(wsi_)) return -1;
  HttpRequest request = read_request(wsi_, head);
  request.peer_address = peer_.text;
  request.peer_is_loopback = peer_.is_loopback;
  ResponseOptions options{
      keeps_alive(head) && !parts_.draining, head.method == "HEAD", parts_.is_tls};
  read_range(wsi_, options);
  exchange_ = std::make_shared<HttpExchange>(
      std::move(request), options, parts_.executor, [this] { on_answer(); });
  exchange_since_us_ = parts_.sessions.clock.monotonic_us();
  unread_since_us_ = 0;
  input_may_follow_ = announces_body(head);
  if (const auto refusal = check_request(head, parts_.rules)) return refuse(*refusal);
  if (IngestUpload::is_wanted(head)) return begin_upload(head);
  const auto plan = plan_body(head, parts_.rules);
  if (const auto* refusal = std::get_if<HttpRefusal>(&plan)) return refuse(*refusal);
  if (head.method == "OPTIONS") {
    exchange_->answer(make_options_answer());
    return pump_response();
  }
  exchange_->expect_body(std::get<BodyPlan>(plan), parts_.rules.body_bytes_max);
  // Of an empty body libwebsockets tells the end for POST only.
  const bool end_is_told =
      exchange_->expects_body() || (head.method == "POST" && head.content_length);
  if (!end_is_told) return finish_request();
  if (expects_continue(wsi_) && write_bytes(wsi_, "HTTP/1.1 100 Continue\r\n\r\n") < 0) return -1;
  return 0;
}

int Connection::refuse(const HttpRefusal& refusal) {
  parts_.sessions.counters.refused_requests.add();
  exchange_->refuse(refusal.status, refusal.detail);
  return pump_response();
}

int Connection::begin_upload(const RequestHead& head) {
  exchange_->close_afterwards();
  input_may_follow_ = true;
  pause_receiving(true);
  const auto answer = [this](HttpResponse response) { exchange_->answer(std::move(response)); };
  auto upload = IngestUpload::create(
      {wsi_, parts_.loop, parts_.sessions, parts_.http, parts_.executor, answer},
      head,
      peer_.text,
      peer_.is_loopback);
  if (const auto* refusal = std::get_if<HttpRefusal>(&upload)) return refuse(*refusal);
  upload_ = std::get<std::unique_ptr<IngestUpload>>(std::move(upload));
  upload_->start();
  return 0;
}

void Connection::on_answer() {
  const auto kept = exchange_;  // Completing the response lets it go.
  // Of an upload the peer may have closed its side, which libwebsockets must not see before.
  if (upload_ != nullptr && pump_response() != 0) return hang_up();
  pause_receiving(false);  // A paused HTTP connection is not told that it can write.
  lws_callback_on_writable(wsi_);
}

int Connection::on_http_body(std::string_view bytes) {
  if (exchange_ == nullptr) return 0;  // Lingering.
  if (upload_ != nullptr) {
    if (!exchange_->answered()) upload_->on_body(bytes);
    return 0;
  }
  switch (exchange_->on_body(bytes)) {
    case HttpExchange::Body::kMore:
    case HttpExchange::Body::kWhole:
      return 0;  // libwebsockets tells the end itself.
    case HttpExchange::Body::kLastChunk:
      return finish_request();
    case HttpExchange::Body::kRefused:
      break;
  }
  parts_.sessions.counters.refused_requests.add();
  return pump_response();
}

// libwebsockets says this twice when bytes follow the body.
int Connection::on_http_body_complete() {
  if (lingering_since_us_ != 0) return -1;
  if (upload_ != nullptr) return 0;
  return exchange_ != nullptr && !exchange_->dispatched() ? finish_request() : 0;
}

int Connection::finish_request() {
  // From here libwebsockets has no business with this socket until the answer is there.
  lws_set_timeout(wsi_, NO_PENDING_TIMEOUT, 0);
  exchange_since_us_ = parts_.sessions.clock.monotonic_us();
  exchange_->dispatch(parts_.http);
  if (exchange_->answered()) return pump_response();
  pause_receiving(true);
  return 0;
}

int Connection::on_http_writeable() {
  return exchange_ != nullptr && exchange_->answered() ? pump_response() : 0;
}

// One piece a turn: a reader that takes everything at once must not keep the others waiting.
int Connection::pump_response() {
  ResponseStream& stream = exchange_->stream();
  if (!lws_partial_buffered(wsi_) && !stream.done()) {
    if (!stream.next(parts_.scratch) || write_bytes(wsi_, parts_.scratch) < 0) return -1;
    exchange_since_us_ = parts_.sessions.clock.monotonic_us();
  }
  if (stream.done() && !lws_partial_buffered(wsi_)) return complete_response();
  lws_callback_on_writable(wsi_);
  return 0;
}

int Connection::complete_response() {
  const bool keep_alive = exchange_->keep_alive();
  exchange_.reset();
  if (!keep_alive && input_may_follow_ && !parts_.is_tls) {
    // Closing with unread input makes TCP reset the connection, and the peer lose the answer.
    ::shutdown(lws_get_socket_fd(wsi_), SHUT_WR);
    lingering_since_us_ = parts_.sessions.clock.monotonic_us();
    return 0;
  }
  if (!keep_alive) return -1;
  return lws_http_transaction_completed(wsi_) != 0 ? -1 : 0;
}

int Connection::on_raw() {
  parts_.sessions.counters.refused_requests.add();
  const HttpResponse problem = make_problem(405, "CONNECT is not served");
  write_bytes(
      wsi_,
      render_response_head(problem, problem.body.size(), {false, false, false}) + problem.body);
  return -1;
}

// ---- Upgrade

int Connection::on_confirm_upgrade() {
  const RequestHead head = read_request_head(wsi_);
  auto refusal = check_request(head, parts_.rules);
  if (!refusal) refusal = check_upgrade(head);
  if (!refusal && head.path != "/v1/uplink" && head.path != "/v1/subscribe")
    refusal = HttpRefusal{404, "WebSockets are served at /v1/uplink and /v1/subscribe"};
  if (!refusal && parts_.draining) refusal = HttpRefusal{503, "the server is draining"};
  if (!refusal) {
    upgrade_path_ = head.path;
    upgrade_token_ = bearer_token(head.authorization);
    return 0;
  }
  parts_.sessions.counters.refused_requests.add();
  const HttpResponse problem = make_problem(refusal->status, refusal->detail);
  const ResponseOptions options{false, false, parts_.is_tls};
  write_bytes(wsi_, render_response_head(problem, problem.body.size(), options) + problem.body);
  return -1;
}

void Connection::on_established() {
  socket_ = lws_get_socket_fd(wsi_);
  heard_us_ = parts_.sessions.clock.monotonic_us();
  SessionPeer peer{std::move(upgrade_token_), peer_.is_loopback};
  if (upgrade_path_ == "/v1/uplink") {
    auto uplink =
        std::make_shared<UplinkSession>(*this, parts_.sessions, std::move(peer), parts_.executor);
    uplink_ = uplink.get();
    session_ = std::move(uplink);
  } else {
    session_ = std::make_shared<SubscribeSession>(
        *this, parts_.sessions, std::move(peer), parts_.executor);
  }
}

// ---- WebSocket

void Connection::on_message_part(std::string_view bytes) {
  heard_us_ = parts_.sessions.clock.monotonic_us();
  pinged_ = false;
  if (session_ == nullptr || closing_ || close_code_ != 0) return;
  const std::size_t announced = message_.size() + bytes.size() + lws_remaining_packet_payload(wsi_);
  if (announced > kWireMessageBytesMax)
    return session_->fail({ErrorCode::kInvalidArgument, 1009, "a message has at most 64 KiB"});
  const bool is_last = lws_is_final_fragment(wsi_) != 0 && lws_remaining_packet_payload(wsi_) == 0;
  const bool is_whole = is_last && message_.empty();
  if (!is_whole) message_.append(bytes);
  if (!is_last) return;
  const std::string_view message = is_whole ? bytes : std::string_view(message_);
  if (lws_frame_is_binary(wsi_) != 0) {
    session_->on_binary(
        {reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});  // NOLINT
  } else {
    session_->on_text(message);
  }
  message_.clear();
}

void Connection::on_pong() {
  heard_us_ = parts_.sessions.clock.monotonic_us();
  pinged_ = false;
}

bool Connection::can_write_now() const {
  return outbox_.empty() && lws_partial_buffered(wsi_) == 0;
}

bool Connection::write_now(const std::string& bytes) {
  // lws_write() costs 250 instructions more; it keeps and sends later what the socket leaves.
  std::size_t sent = 0;
  if (!parts_.is_tls) {
    const ssize_t taken = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken > 0) sent = static_cast<std::size_t>(taken);
    if (sent == bytes.size()) return true;
  }
  if (write_bytes(wsi_, std::string_view(bytes).substr(sent)) >= 0) return true;
  hang_up();
  return false;
}

Footprint<3> Connection::footprint() const noexcept {
  // Where libwebsockets 4.1.6 looks whether it has output waiting.
  constexpr std::size_t kBuffersOffset = 0x2D0;
  return {this, address_in(this, kCacheLineBytes), address_in(wsi_, kBuffersOffset)};
}

void Connection::send(Frame frame) {
  if (closing_ || broken_ || close_code_ != 0) return;
  if (can_write_now()) {
    write_now(*frame);
    return;
  }
  after_push(outbox_.push(std::move(frame), parts_.sessions.clock.monotonic_us()));
}

void Connection::send(const Delivery& delivery) {
  if (closing_ || broken_ || close_code_ != 0) return;
  parts_.sessions.counters.messages_sent.add();
  if (can_write_now()) {
    write_now(*delivery.frame);
    return;
  }
  after_push(outbox_.push(delivery, parts_.sessions.clock.monotonic_us()));
}

void Connection::after_push(Outbox::Pushed pushed) {
  if (pushed == Outbox::Pushed::kOverflow) return too_slow();
  if (pushed == Outbox::Pushed::kDropped) parts_.sessions.counters.messages_dropped.add();
  lws_callback_on_writable(wsi_);
}

void Connection::too_slow() {
  parts_.sessions.counters.slow_readers.add();
  outbox_ = Outbox();
  session_->fail({ErrorCode::kOverloaded, 4001, "the reader is too slow; resume"});
}

int Connection::on_websocket_writeable() {
  if (broken_) return -1;
  if (closing_) return 0;  // libwebsockets waits for the peer's close frame.
  if (!outbox_.empty()) {
    parts_.scratch.clear();
    outbox_.take(kMergedBytes, parts_.scratch);
    if (!write_now(parts_.scratch)) return -1;
    lws_callback_on_writable(wsi_);
    return 0;
  }
  if (close_code_ != 0) {
    closing_ = true;
    lws_close_reason(wsi_, static_cast<lws_close_status>(close_code_), nullptr, 0);
    return -1;
  }
  if (session_ != nullptr) session_->on_drained();
  return 0;
}

void Connection::pause_receiving(bool paused) {
  if (paused_ == paused) return;
  paused_ = paused;
  lws_rx_flow_control(wsi_, paused ? 0 : 1);
  if (paused && uplink_ != nullptr) parts_.on_stalled();
}

void Connection::close(int code) {
  if (close_code_ != 0) return;
  close_code_ = code;
  closing_since_us_ = parts_.sessions.clock.monotonic_us();
  lws_callback_on_writable(wsi_);
}

void Connection::on_closed() {
  upload_.reset();
  uplink_ = nullptr;
  session_.reset();
  closing_ = true;
}

void Connection::drain() {
  if (upload_ != nullptr) upload_->drain();
  if (session_ != nullptr)
    session_->fail({ErrorCode::kUnavailable, 4000, "the server is draining; reconnect"});
}

void Connection::say_goodbye() {
  if (session_ == nullptr || closing_ || broken_ || lws_partial_buffered(wsi_) != 0) return;
  closing_ = true;
  parts_.scratch.clear();
  if (!outbox_.empty()) outbox_.take(kMergedBytes, parts_.scratch);
  // Going away, RFC 6455 section 7.4.1.
  parts_.scratch.append(*make_close_frame(close_code_ != 0 ? close_code_ : 1001));
  write_bytes(wsi_, parts_.scratch);
}

void Connection::on_second() {
  const std::int64_t now_us = parts_.sessions.clock.monotonic_us();
  if (exchange_ != nullptr) watch_response(now_us);
  const bool is_idle = exchange_ == nullptr && session_ == nullptr;
  if (is_idle && requests_ > 0 && now_us - exchange_since_us_ > kIdleMaxUs) hang_up();
  if (lingering_since_us_ != 0 && now_us - lingering_since_us_ > kLingerUs) hang_up();
  if (session_ != nullptr) watch_websocket(now_us);
}

void Connection::watch_response(std::int64_t now_us) {
  if (!exchange_->answered()) {
    const std::int64_t waited_us = now_us - exchange_since_us_;
    if (upload_ == nullptr && !exchange_->dispatched() && waited_us > kBodyMaxUs)
      exchange_->refuse(408, "the body took longer than 30 s");
    if (exchange_->dispatched() && waited_us > parts_.http_reply_timeout_us)
      exchange_->refuse(503, "the answer took too long");
    return;
  }
  // libwebsockets 4.1.6 spins while input waits behind a response in progress, and stops looking
  // at the output of a paused connection; so a client that pipelines behind a long response, or
  // does not read it, is cut off.
  if (!has_unread_input(wsi_))
    unread_since_us_ = 0;
  else if (unread_since_us_ == 0)
    unread_since_us_ = now_us;
  const bool pipelines = unread_since_us_ != 0 && now_us - unread_since_us_ > kUnreadMaxUs;
  if (pipelines || now_us - exchange_since_us_ > kResponseStallUs) hang_up();
}

void Connection::watch_websocket(std::int64_t now_us) {
  if (close_code_ != 0) {
    if (now_us - closing_since_us_ > kCloseGraceUs) hang_up();
    return;
  }
  session_->on_tick();
  if (outbox_.too_slow(now_us)) return too_slow();
  if (paused_) heard_us_ = now_us;  // We are the ones who do not listen.
  if (now_us - heard_us_ > kHangUpAfterUs) return hang_up();
  if (now_us - heard_us_ <= kPingAfterUs || pinged_) return;
  pinged_ = true;
  send(parts_.ping);
}

}  // namespace qylon::realtime

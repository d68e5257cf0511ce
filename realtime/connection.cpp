#include "realtime/connection.hpp"

#include <utility>

#include <libwebsockets.h>
#include <sys/socket.h>

#include "core/utf8.hpp"
#include "realtime/lws_socket.hpp"
#include "realtime/subscribe_session.hpp"

namespace qylon::realtime {
namespace {

constexpr std::size_t kWireMessageBytesMax = 64 << 10;
constexpr std::size_t kMergedBytes = 64 << 10;
constexpr std::int64_t kPingAfterUs = 20'000'000;
constexpr std::int64_t kHangUpAfterUs = 30'000'000;
constexpr std::int64_t kCloseGraceUs = 5'000'000;
constexpr std::int64_t kSessionMaxUs = 12LL * 3600 * 1'000'000;
// What one reader may have waiting while memory is short: it reads more slowly than others.
constexpr std::size_t kShedBytes = 64 << 10;

}  // namespace

Connection::Connection(ConnectionParts& parts,
                       std::uint64_t id,
                       PeerAddress peer,
                       Newcomers::Place newcomer)
    : parts_(parts), id_(id), peer_(std::move(peer)), newcomer_(std::move(newcomer)) {
  parts_.sessions.counters.connections.add(1);
}

Connection::~Connection() {
  parts_.sessions.counters.connections.add(-1);
}

void Connection::hang_up() {
  broken_ = true;
  lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
  // Asked from a timer of ours, libwebsockets would think of it at its next event only.
  lws_cancel_service(lws_get_context(wsi_));
}

void Connection::on_established() {
  socket_ = lws_get_socket_fd(wsi_);
  heard_us_ = parts_.sessions.clock.monotonic_us();
  established_us_ = heard_us_;
  if (!newcomer_.held()) newcomer_ = Newcomers::Place(parts_.newcomers, heard_us_);
  const auto further = parts_.further_sessions.find(upgrade_path_);
  if (further != parts_.further_sessions.end()) {
    session_ = further->second(*this, parts_.sessions);
    return;
  }
  SessionPeer peer{std::move(upgrade_token_), peer_.is_loopback, std::move(upgrade_ticket_)};
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

void Connection::on_message_part(std::string_view bytes) {
  __builtin_prefetch(session_.get());
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
  // libwebsockets does not look at the end of a message whose last fragment is empty.
  if (!is_whole && lws_frame_is_binary(wsi_) == 0 && !is_utf8(message))
    return session_->fail({ErrorCode::kInvalidArgument, 1007, "text must be UTF-8"});
  if (lws_frame_is_binary(wsi_) != 0) {
    session_->on_binary(
        {reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});  // NOLINT
  } else {
    session_->on_text(message);
  }
  message_.clear();
  if (newcomer_.held() && session_->identified()) newcomer_.leave();
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

void Connection::shed() {
  parts_.sessions.counters.shed_readers.add();
  outbox_ = Outbox();
  session_->fail({ErrorCode::kOverloaded, 4006, "memory is short and this reader is slow; resume"});
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

void Connection::shed_newcomer() {
  if (broken_ || close_code_ != 0) return hang_up();
  parts_.sessions.counters.newcomers_shed.add();
  if (session_ == nullptr) return hang_up();
  session_->fail({ErrorCode::kOverloaded, 4006, "too many others come; say who you are sooner"});
}

void Connection::on_second() {
  const std::int64_t now_us = parts_.sessions.clock.monotonic_us();
  if (newcomer_.is_over(now_us)) return shed_newcomer();
  session_ != nullptr ? watch_websocket(now_us) : watch_http(now_us);
}

void Connection::watch_websocket(std::int64_t now_us) {
  // A close frame that libwebsockets sent by itself: nothing may follow it (RFC 6455
  // section 5.5.1).
  if (close_code_ == 0 && lws_get_close_length(wsi_) > 0) {
    closing_ = true;
    close_code_ = 1002;
    closing_since_us_ = now_us;
  }
  if (close_code_ != 0) {
    if (now_us - closing_since_us_ > kCloseGraceUs) hang_up();
    return;
  }
  session_->on_tick();
  if (outbox_.too_slow(now_us)) return too_slow();
  const bool is_short = parts_.memory.level(now_us) == MemoryWatch::Level::kShedSlow;
  if (is_short && outbox_.bytes() > kShedBytes) return shed();
  if (now_us - established_us_ > kSessionMaxUs)
    return session_->fail({ErrorCode::kUnavailable, 4000, "a session lasts 12 h; reconnect"});
  if (paused_) heard_us_ = now_us;  // We are the ones who do not listen.
  if (now_us - heard_us_ > kHangUpAfterUs) return hang_up();
  if (now_us - heard_us_ <= kPingAfterUs || pinged_) return;
  pinged_ = true;
  send(parts_.ping);
}

}  // namespace qylon::realtime

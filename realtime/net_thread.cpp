#include "realtime/net_thread.hpp"

#include <algorithm>
#include <array>
#include <semaphore>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <utility>

#include <ev.h>
#include <libwebsockets.h>
#include <malloc.h>

#include "realtime/accepted_socket.hpp"
#include "realtime/connection_wheel.hpp"
#include "realtime/fanout.hpp"
#include "realtime/net_context.hpp"

namespace qylon::realtime {
namespace {

constexpr double kTickS = 0.1;  // A connection's second passes in ten ticks.
constexpr double kFastTickS = 0.02;
constexpr std::size_t kTrimConnections = 200;
constexpr std::int64_t kAnswerUs = 1'000'000;
constexpr std::size_t kReceiveBytes = 2048;  // A session's buffer; longer messages come in parts.
constexpr std::size_t kSendBytesMax = 256 << 10;  // One lws_write is one send(2) up to here.

int on_lws(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t length) noexcept;

const std::array<lws_protocols, 2> kProtocols{{
    {kSubprotocol.data(), on_lws, 0, kReceiveBytes, 0, nullptr, kSendBytesMax},
    {nullptr, nullptr, 0, 0, 0, nullptr, 0},
}};

}  // namespace

class NetThread::Loop {
 public:
  Loop(const Options& options, const Shared& shared)
      : options_(options),
        shared_(shared),
        mailbox_(std::make_shared<NetMailbox>(Hub::kMailboxPublications)),
        jitter_(options.jitter_seed),
        session_parts_{shared.parts.clock,
                       shared.parts.access,
                       shared.parts.ingress,
                       shared.parts.history,
                       shared.rings,
                       fanout_,
                       shared.counters,
                       jitter_,
                       shared.parts.gate},
        parts_{session_parts_,
               shared.parts.http,
               shared.memory,
               shared.newcomers,
               options_.further_sessions,
               options_.rules,
               mailbox_,
               options.http_reply_timeout_ms * 1000,
               !options.tls_certificate_path.empty(),
               nullptr,
               false,
               {},
               [this] { ev_timer_again(loop_, &fast_tick_); }} {}

  bool start();
  void stop();
  void adopt(int fd, PeerAddress peer, Newcomers::Place place);
  void adopt_now(AcceptedSocket& socket, PeerAddress peer);
  void drain_now();
  void close_uplinks_now(MeetingId meeting);
  void reload_tls_now();
  NetMailbox& mailbox() { return *mailbox_; }

  // From libwebsockets, on the thread.
  void read_mail();
  void on_established(Connection& connection);
  void on_closed(Connection& connection);
  void on_destroyed(Connection& connection);

 private:
  void run();
  bool create_context();
  void destroy_context();
  template <void (Loop::*kOnTime)()>
  void set_timer(ev_timer& timer, double every_s) {
    const auto call = [](struct ev_loop*, ev_timer* due, int) {
      (static_cast<Loop*>(due->data)->*kOnTime)();
    };
    ev_timer_init(&timer, call, every_s, every_s);
    timer.data = this;
  }
  void on_tick();
  void give_memory_back();
  void on_fast_tick();
  void end_when_answered();
  void say_goodbye();

  const Options options_;  // Constant after construction.
  const Shared shared_;    // Constant after construction.
  const std::shared_ptr<NetMailbox> mailbox_;
  std::thread thread_;
  std::binary_semaphore started_{0};

  // Owned by the thread.
  struct ev_loop* loop_ = nullptr;
  lws_context* context_ = nullptr;
  lws_vhost* vhost_ = nullptr;
  ev_timer tick_{};
  ev_timer fast_tick_{};
  Fanout fanout_;
  Jitter jitter_;
  const SessionParts session_parts_;
  ConnectionParts parts_;
  ConnectionWheel wheel_;
  std::unordered_set<Connection*> uplinks_;
  std::uint64_t adopted_count_ = 0;
  std::size_t held_most_ = 0;  // Connections since memory was last given back.
  bool stopping_ = false;
  std::int64_t answers_until_us_ = 0;  // Of a drain.
};

namespace {

int on_connection(Connection& connection,
                  NetThread::Loop& loop,
                  lws_callback_reasons reason,
                  std::string_view bytes) {
  switch (reason) {
    case LWS_CALLBACK_HTTP:
      return connection.on_http();
    case LWS_CALLBACK_HTTP_BODY:
      return connection.on_http_body(bytes);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
      return connection.on_http_body_complete();
    case LWS_CALLBACK_HTTP_WRITEABLE:
      return connection.on_http_writeable();
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
      return connection.on_confirm_upgrade();
    case LWS_CALLBACK_RAW_ADOPT:
    case LWS_CALLBACK_RAW_RX:
      return connection.on_raw(bytes);
    case LWS_CALLBACK_RAW_WRITEABLE:
      return connection.on_http_writeable();
    case LWS_CALLBACK_ESTABLISHED:
      loop.on_established(connection);
      return 0;
    case LWS_CALLBACK_RECEIVE:
      connection.on_message_part(bytes);
      return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
      connection.on_pong();
      return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
      return connection.on_websocket_writeable();
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      connection.on_peer_close();
      return 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_RAW_CLOSE:
      loop.on_closed(connection);
      return 0;
    case LWS_CALLBACK_WSI_DESTROY:
      loop.on_destroyed(connection);
      return 0;
    default:
      return 0;
  }
}

int on_lws(lws* wsi,
           lws_callback_reasons reason,
           void* /*user*/,
           void* in,
           size_t length) noexcept {
  lws_context* const context = lws_get_context(wsi);
  auto* const loop = static_cast<NetThread::Loop*>(lws_context_user(context));
  if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
    loop->read_mail();
    return 0;
  }
  auto* const connection = static_cast<Connection*>(lws_get_opaque_user_data(wsi));
  if (connection == nullptr) return 0;
  connection->attach(wsi);
  const bool has_bytes = reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_HTTP_BODY ||
                         reason == LWS_CALLBACK_RAW_RX;
  const std::string_view bytes =
      has_bytes && in != nullptr ? std::string_view(static_cast<const char*>(in), length) : "";
  return on_connection(*connection, *loop, reason, bytes);
}

}  // namespace

bool NetThread::Loop::create_context() {
  context_ = create_net_context(
      {loop_, kProtocols.data(), this, options_.tls_certificate_path, options_.tls_key_path});
  if (context_ == nullptr) return false;
  vhost_ = lws_get_vhost_by_name(context_, "default");
  return vhost_ != nullptr;
}

bool NetThread::Loop::start() {
  thread_ = std::thread([this] { run(); });
  started_.acquire();
  return vhost_ != nullptr;
}

void NetThread::Loop::run() {
  loop_ = ev_loop_new(EVFLAG_NOENV);
  const bool is_running = loop_ != nullptr && create_context();
  parts_.loop = loop_;
  if (is_running) {
    set_timer<&Loop::on_tick>(tick_, kTickS);
    set_timer<&Loop::on_fast_tick>(fast_tick_, kFastTickS);
    mailbox_->open([this] { lws_cancel_service(context_); });
  }
  started_.release();
  if (is_running) ev_run(loop_, 0);
  mailbox_->close();
  say_goodbye();
  destroy_context();
}

void NetThread::Loop::destroy_context() {
  if (loop_ == nullptr) return;
  ev_timer_stop(loop_, &tick_);
  ev_timer_stop(loop_, &fast_tick_);
  if (context_ != nullptr) lws_context_destroy(context_);
  ev_loop_destroy(loop_);
}

void NetThread::Loop::stop() {
  mailbox_->post([this] {
    stopping_ = true;
    end_when_answered();
  });
  if (thread_.joinable()) thread_.join();
}

// A drained client may be writing: closing before it has read its close frame and answered would
// reset the connection, and it would not know why.
void NetThread::Loop::end_when_answered() {
  const bool may_wait = shared_.parts.clock.monotonic_us() < answers_until_us_;
  if (!may_wait || !wheel_.has_sessions()) ev_break(loop_, EVBREAK_ALL);
}

void NetThread::Loop::say_goodbye() {
  wheel_.for_all([](Connection& connection) { connection.say_goodbye(); });
}

void NetThread::Loop::adopt(int fd, PeerAddress peer, Newcomers::Place place) {
  // A task that is dropped at shutdown still closes its socket.
  auto socket = std::make_shared<AcceptedSocket>(fd, std::move(place));
  mailbox_->post([this, socket, peer] { adopt_now(*socket, peer); });
}

void NetThread::Loop::adopt_now(AcceptedSocket& socket, PeerAddress peer) {
  const int fd = socket.release();
  const std::size_t held = wheel_.size();
  Connection& connection = wheel_.add(
      std::make_unique<Connection>(parts_, ++adopted_count_, std::move(peer), socket.take_place()));
  lws_adopt_desc_t adoption{};
  adoption.vh = vhost_;
  adoption.type =
      static_cast<lws_adoption_type>(LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL);
  adoption.fd.sockfd = fd;
  adoption.opaque = &connection;
  connection.watch_first_bytes(fd);
  // On failure libwebsockets has closed the socket; it may or may not have said WSI_DESTROY.
  lws* const wsi = lws_adopt_descriptor_vhost_via_info(&adoption);
  if (wsi == nullptr) {
    if (wheel_.size() > held) on_destroyed(connection);
    return;
  }
  connection.attach(wsi);
  if (!ev_is_active(&tick_)) ev_timer_again(loop_, &tick_);
}

void NetThread::Loop::read_mail() {
  NetMailbox::Mail mail = mailbox_->take();
  for (const NetExecutor::Task& task : mail.tasks)
    task();
  for (const DeliveryPtr& delivery : mail.deliveries)
    fanout_.deliver(*delivery);
  if (mail.finals_lost) fanout_.finals_lost();
}

void NetThread::Loop::on_established(Connection& connection) {
  connection.on_established();
  if (connection.uplink() != nullptr) uplinks_.insert(&connection);
  if (parts_.draining) connection.drain();
}

void NetThread::Loop::on_closed(Connection& connection) {
  uplinks_.erase(&connection);
  connection.on_closed();
}

void NetThread::Loop::on_destroyed(Connection& connection) {
  on_closed(connection);
  shared_.on_gone(connection.peer());
  wheel_.remove(connection);
}

void NetThread::Loop::on_tick() {
  for (Connection* const connection : uplinks_)
    connection->session()->on_tick();
  if (wheel_.turn([](Connection& connection) { connection.on_second(); })) {
    // libwebsockets 4.1.6 forgets its own timers (handshake, close) until its next event.
    lws_cancel_service(context_);
  }
  give_memory_back();
  if (stopping_) end_when_answered();
  if (wheel_.size() == 0) ev_timer_stop(loop_, &tick_);
}

// The allocator keeps what many connections leave between the few that stay.
void NetThread::Loop::give_memory_back() {
  held_most_ = std::max(held_most_, wheel_.size());
  if (held_most_ < kTrimConnections || wheel_.size() > held_most_ / 2) return;
  held_most_ = wheel_.size();
  ::malloc_trim(0);
}

void NetThread::Loop::on_fast_tick() {
  bool wanted = false;
  for (Connection* const connection : uplinks_) {
    if (!connection->session()->wants_fast_tick()) continue;
    connection->session()->on_fast_tick();
    wanted = wanted || connection->session()->wants_fast_tick();
  }
  if (!wanted) ev_timer_stop(loop_, &fast_tick_);
}

void NetThread::Loop::drain_now() {
  parts_.draining = true;
  answers_until_us_ = shared_.parts.clock.monotonic_us() + kAnswerUs;
  wheel_.for_all([](Connection& connection) { connection.drain(); });
}

void NetThread::Loop::close_uplinks_now(MeetingId meeting) {
  for (Connection* const connection : uplinks_)
    connection->uplink()->on_meeting_ended(meeting);
}

void NetThread::Loop::reload_tls_now() {
  const char* const certificate = options_.tls_certificate_path.c_str();
  const char* const key = options_.tls_key_path.c_str();
  lws_tls_cert_updated(context_, certificate, key, nullptr, 0, nullptr, 0);
}

Result<std::unique_ptr<NetThread>> NetThread::start(const Options& options, const Shared& shared) {
  lws_set_log_level(0, nullptr);  // Its messages are about peers; ours are counters and answers.
  auto loop = std::make_shared<Loop>(options, shared);
  auto thread = std::unique_ptr<NetThread>(new NetThread(loop));
  if (!loop->start()) {
    return Error{ErrorCode::kUnavailable,
                 "a net thread could not start; check the TLS certificate and key, and that "
                 "libwebsockets-evlib-ev is installed"};
  }
  return thread;
}

NetThread::NetThread(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}

NetThread::~NetThread() {
  loop_->stop();
}

void NetThread::adopt(int fd, PeerAddress peer, Newcomers::Place place) {
  loop_->adopt(fd, std::move(peer), std::move(place));
}

NetMailbox::Pushed NetThread::deliver(const DeliveryPtr& delivery) {
  return loop_->mailbox().push(delivery);
}

void NetThread::post(std::function<void()> task) {
  loop_->mailbox().post(std::move(task));
}

void NetThread::close_meeting_uplinks(MeetingId meeting) {
  loop_->mailbox().post([loop = loop_.get(), meeting] { loop->close_uplinks_now(meeting); });
}

void NetThread::drain() {
  loop_->mailbox().post([loop = loop_.get()] { loop->drain_now(); });
}

void NetThread::reload_tls() {
  loop_->mailbox().post([loop = loop_.get()] { loop->reload_tls_now(); });
}

}  // namespace qylon::realtime

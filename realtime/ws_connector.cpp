#include "realtime/ws_connector.hpp"

#include <array>
#include <cstring>
#include <semaphore>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

#include <libwebsockets.h>

#include "realtime/client_link.hpp"
#include "realtime/net_mailbox.hpp"

namespace qylon::realtime {
namespace {

constexpr std::size_t kReceiveBytes = 4096;
constexpr std::size_t kSendBytesMax = 128 << 10;  // One lws_write is one send(2) up to here.
constexpr const char* kProtocolName = "qylon-client";
constexpr int kAbnormal = 1006;

int on_lws(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t length) noexcept;

const std::array<lws_protocols, 2> kProtocols{{
    {kProtocolName, on_lws, 0, kReceiveBytes, 0, nullptr, kSendBytesMax},
    {nullptr, nullptr, 0, 0, 0, nullptr, 0},
}};

}  // namespace

/// The thread and its connections.
class WsConnector::Loop {
 public:
  explicit Loop(Options options) : options_(std::move(options)) {}

  bool start();
  void stop();
  void open(const std::shared_ptr<ClientLink>& link);
  void wake(const std::shared_ptr<ClientLink>& link);

  // From libwebsockets, on the thread.
  void read_mail();
  int on_event(lws* wsi, ClientLink& link, lws_callback_reasons reason, std::string_view bytes);

 private:
  void run();
  void open_now(const std::shared_ptr<ClientLink>& link);
  int on_writeable(lws* wsi, ClientLink& link);
  void forget(ClientLink& link);

  const Options options_;  // Constant after construction.
  NetMailbox mailbox_{1};
  std::thread thread_;
  std::binary_semaphore started_{0};

  // Owned by the thread.
  struct Open {
    std::shared_ptr<ClientLink> link;
    lws* wsi = nullptr;
  };
  lws_context* context_ = nullptr;
  bool stopping_ = false;
  std::unordered_map<ClientLink*, Open> open_;
};

namespace {

int on_lws(lws* wsi,
           lws_callback_reasons reason,
           void* /*user*/,
           void* in,
           size_t length) noexcept {
  auto* const loop = static_cast<WsConnector::Loop*>(lws_context_user(lws_get_context(wsi)));
  if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
    loop->read_mail();
    return 0;
  }
  auto* const link = static_cast<ClientLink*>(lws_get_opaque_user_data(wsi));
  if (link == nullptr) return 0;
  if (reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER) {
    auto** const at = static_cast<unsigned char**>(in);
    unsigned char* const end = *at + length;
    for (const auto& [name, value] : link->options().headers) {
      const std::string field = name + ":";
      // NOLINTNEXTLINE: libwebsockets wants unsigned characters.
      const auto* const field_bytes = reinterpret_cast<const unsigned char*>(field.c_str());
      const auto* const value_bytes =
          reinterpret_cast<const unsigned char*>(value.data());  // NOLINT: as above.
      if (lws_add_http_header_by_name(
              wsi, field_bytes, value_bytes, static_cast<int>(value.size()), at, end) != 0)
        return -1;
    }
    return 0;
  }
  const bool has_bytes = in != nullptr && (reason == LWS_CALLBACK_CLIENT_RECEIVE ||
                                           reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR ||
                                           reason == LWS_CALLBACK_WS_PEER_INITIATED_CLOSE);
  const std::string_view bytes =
      has_bytes ? std::string_view(static_cast<const char*>(in), length) : "";
  return loop->on_event(wsi, *link, reason, bytes);
}

std::string connection_error(lws* wsi, std::string_view why) {
  // libwebsockets counts the terminating zero of some of its texts.
  while (!why.empty() && why.back() == '\0')
    why.remove_suffix(1);
  const unsigned status = lws_http_client_http_response(wsi);
  std::string text = why.empty() ? "the connection could not be opened" : std::string(why);
  if (status != 0 && status != 101) text += " (HTTP status " + std::to_string(status) + ")";
  return text;
}

}  // namespace

bool WsConnector::Loop::start() {
  thread_ = std::thread([this] { run(); });
  started_.acquire();
  return context_ != nullptr;
}

void WsConnector::Loop::run() {
  static const lws_retry_bo_t kNoPings{};  // The protocols above ping for themselves.
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = kProtocols.data();
  info.user = this;
  info.gid = -1;
  info.uid = -1;
  info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_VALIDATE_UTF8;
  info.retry_and_idle_policy = &kNoPings;
  if (!options_.ca_file.empty()) info.client_ssl_ca_filepath = options_.ca_file.c_str();
  context_ = lws_create_context(&info);
  const bool is_running = context_ != nullptr;
  if (is_running) mailbox_.open([this] { lws_cancel_service(context_); });
  started_.release();
  while (is_running && !stopping_ && lws_service(context_, 0) >= 0) {
  }
  mailbox_.close();
  if (is_running) lws_context_destroy(context_);
}

void WsConnector::Loop::stop() {
  mailbox_.post([this] { stopping_ = true; });
  if (thread_.joinable()) thread_.join();
}

void WsConnector::Loop::read_mail() {
  for (const NetExecutor::Task& task : mailbox_.take().tasks)
    task();
}

void WsConnector::Loop::open(const std::shared_ptr<ClientLink>& link) {
  mailbox_.post([this, link] { open_now(link); });
}

void WsConnector::Loop::wake(const std::shared_ptr<ClientLink>& link) {
  mailbox_.post([this, link] {
    const auto found = open_.find(link.get());
    if (found == open_.end() || found->second.wsi == nullptr) return;
    // Before the connection stands there is nothing polite to say.
    if (link->closing() && !link->opened()) {
      lws_set_timeout(found->second.wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    } else {
      lws_callback_on_writable(found->second.wsi);
    }
  });
}

void WsConnector::Loop::open_now(const std::shared_ptr<ClientLink>& link) {
  const WsUrl& url = link->url();
  const std::string authority = url.authority();
  Open& open = open_[link.get()];
  open.link = link;
  lws_client_connect_info info{};
  info.context = context_;
  info.address = url.host.c_str();
  info.port = url.port;
  info.ssl_connection = url.is_tls ? LCCSCF_USE_SSL : 0;
  info.path = url.target.c_str();
  info.host = authority.c_str();
  info.protocol =
      link->options().subprotocol.empty() ? nullptr : link->options().subprotocol.c_str();
  info.local_protocol_name = kProtocolName;
  info.alpn = "http/1.1";
  info.opaque_user_data = link.get();
  info.pwsi = &open.wsi;
  if (lws_client_connect_via_info(&info) == nullptr) {
    // Its callback may have said why, and forgotten the link, already.
    link->report_close(kAbnormal, "the connection could not be opened");
    open_.erase(link.get());
    return;
  }
  lws_set_timer_usecs(open.wsi, link->options().connect_timeout_ms * 1000);
}

void WsConnector::Loop::forget(ClientLink& link) {
  const auto found = open_.find(&link);
  if (found == open_.end()) return;
  lws_set_opaque_user_data(found->second.wsi, nullptr);
  open_.erase(found);
}

int WsConnector::Loop::on_writeable(lws* wsi, ClientLink& link) {
  auto outgoing = link.next_outgoing();
  if (outgoing) {
    // NOLINTNEXTLINE: libwebsockets wants unsigned characters.
    auto* const message = reinterpret_cast<unsigned char*>(outgoing->bytes.data()) + LWS_PRE;
    const int written = lws_write(wsi,
                                  message,
                                  outgoing->bytes.size() - LWS_PRE,
                                  outgoing->is_text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY);
    if (written < 0) return -1;
    lws_callback_on_writable(wsi);
    return 0;
  }
  if (!link.closing()) return 0;
  const auto code = link.detached() ? LWS_CLOSE_STATUS_GOINGAWAY : LWS_CLOSE_STATUS_NORMAL;
  lws_close_reason(wsi, code, nullptr, 0);
  link.note_peer_close(link.detached() ? 0 : 1000, "");
  return -1;
}

int WsConnector::Loop::on_event(lws* wsi,
                                ClientLink& link,
                                lws_callback_reasons reason,
                                std::string_view bytes) {
  switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
      lws_set_timer_usecs(wsi, LWS_SET_TIMER_USEC_CANCEL);
      link.report_open();
      lws_callback_on_writable(wsi);
      return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE: {
      const bool is_last =
          lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0;
      if (link.report_part(bytes, is_last, lws_frame_is_binary(wsi) == 0)) return 0;
      link.note_peer_close(1009, "the peer sent a message over 1 MiB");
      lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, nullptr, 0);
      return -1;
    }
    case LWS_CALLBACK_CLIENT_WRITEABLE:
      return on_writeable(wsi, link);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      if (bytes.size() >= 2) {
        const int high = static_cast<unsigned char>(bytes[0]);
        const int low = static_cast<unsigned char>(bytes[1]);
        link.note_peer_close(high * 256 + low, bytes.substr(2));
      } else {
        link.note_peer_close(1005, "");
      }
      return 0;
    case LWS_CALLBACK_TIMER:
      // libwebsockets 4.1 takes the cancelling value for a delay, so a cancelled timer fires at
      // once.
      if (link.opened()) return 0;
      link.report_close(kAbnormal, "the connection was not open in time");
      return -1;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      link.report_close(kAbnormal, connection_error(wsi, bytes));
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
      link.report_close(kAbnormal, "the connection broke");
      return 0;
    case LWS_CALLBACK_WSI_DESTROY:
      link.report_close(kAbnormal, "the connection broke");
      forget(link);
      return 0;
    default:
      return 0;
  }
}

namespace {

class WsChannel final : public MessageChannel {
 public:
  WsChannel(std::shared_ptr<ClientLink> link, std::shared_ptr<WsConnector::Loop> loop)
      : link_(std::move(link)), loop_(std::move(loop)) {}
  ~WsChannel() override {
    link_->detach();
    loop_->wake(link_);
  }

  bool send_text(std::string_view text) override { return send(text, true); }
  bool send_binary(std::span<const std::uint8_t> bytes) override {
    // NOLINTNEXTLINE: the queue holds bytes as characters.
    return send({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, false);
  }
  void close() override {
    link_->ask_to_close();
    loop_->wake(link_);
  }

 private:
  bool send(std::string_view message, bool is_text) {
    if (!link_->enqueue(message, is_text)) return false;
    loop_->wake(link_);
    return true;
  }

  const std::shared_ptr<ClientLink> link_;
  const std::shared_ptr<WsConnector::Loop> loop_;
};

}  // namespace

Result<std::unique_ptr<WsConnector>> WsConnector::create(const Options& options) {
  lws_set_log_level(0, nullptr);
  auto loop = std::make_shared<Loop>(options);
  auto connector = std::unique_ptr<WsConnector>(new WsConnector(loop));
  if (!loop->start())
    return Error{ErrorCode::kInternal, "the WebSocket client could not start; check the CA file"};
  return connector;
}

WsConnector::WsConnector(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}

WsConnector::~WsConnector() {
  loop_->stop();
}

Result<std::unique_ptr<MessageChannel>> WsConnector::connect(MessageChannel::Options options,
                                                             MessageChannel::Events events) {
  auto url = parse_ws_url(options.url);
  if (!url) return url.error();
  auto link = std::make_shared<ClientLink>(
      std::move(options), std::move(events), *std::move(url), std::size_t{LWS_PRE});
  std::unique_ptr<MessageChannel> channel = std::make_unique<WsChannel>(link, loop_);
  loop_->open(link);
  return channel;
}

}  // namespace qylon::realtime

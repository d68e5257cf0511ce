// The HTTP half of a connection: requests, answers, and what is checked before an upgrade.
#include <utility>

#include <libwebsockets.h>
#include <sys/socket.h>

#include "realtime/connection.hpp"
#include "realtime/lws_request.hpp"
#include "realtime/lws_socket.hpp"

namespace qylon::realtime {
namespace {

constexpr std::int64_t kIdleMaxUs = 60'000'000;  // libwebsockets' own limit is 30 s.
constexpr std::int64_t kLingerUs = 1'000'000;
constexpr std::int64_t kUnreadMaxUs = 2'000'000;
constexpr std::int64_t kBodyMaxUs = 30'000'000;
constexpr std::int64_t kResponseStallUs = 10'000'000;

constexpr const char* kMethodsTaken =
    "the method must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS; SOURCE is for /v1/ingest";

}  // namespace

void Connection::watch_first_bytes(int fd) {
  if (!parts_.is_tls) first_look_.start(fd, parts_.loop);
}

int Connection::on_http() {
  newcomer_.leave();
  parts_.sessions.counters.http_requests.add();
  const RequestHead head = read_request_head(wsi_);
  if (++requests_ > 1 && announces_body(head) && input_may_be_buffered(wsi_)) return -1;
  HttpRequest request = read_request(wsi_, head);
  request.peer_address = peer_.text;
  request.peer_is_loopback = peer_.is_loopback;
  ResponseOptions options{
      keeps_alive(head) && !parts_.draining, head.method == "HEAD", parts_.is_tls};
  read_range(wsi_, options);
  const auto wrong = check_request(head, parts_.rules);
  if (!wrong) options.origin = head.origin;
  exchange_ = std::make_shared<HttpExchange>(
      std::move(request), options, parts_.executor, [this] { on_answer(); });
  exchange_since_us_ = parts_.sessions.clock.monotonic_us();
  unread_since_us_ = 0;
  input_may_follow_ = announces_body(head);
  if (wrong) return refuse(*wrong);
  if (IngestUpload::is_wanted(head)) return begin_upload(read_upload_head(wsi_, head));
  const auto plan = plan_body(head, parts_.rules);
  if (const auto* refusal = std::get_if<HttpRefusal>(&plan)) return refuse(*refusal);
  if (head.method == "OPTIONS") {
    exchange_->answer(make_options_answer(head.requested_headers));
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

int Connection::begin_upload(const UploadHead& head) {
  exchange_->close_afterwards();
  input_may_follow_ = true;
  pause_receiving(true);
  const auto answer = [this](HttpResponse response) { exchange_->answer(std::move(response)); };
  const auto close = [this] { hang_up(); };
  auto upload = IngestUpload::create(
      {wsi_, parts_.loop, parts_.sessions, parts_.http, parts_.executor, answer, close},
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

// A method that libwebsockets does not serve: SOURCE is an upload, the others are refused.
int Connection::on_raw(std::string_view bytes) {
  if (exchange_ != nullptr || lingering_since_us_ != 0 || bytes.empty()) return 0;
  // A head that does not get whole is idle; see on_second().
  if (requests_++ == 0) exchange_since_us_ = parts_.sessions.clock.monotonic_us();
  const auto state = source_.feed(bytes);
  if (state == SourceRequest::State::kMore) return 0;
  newcomer_.leave();
  parts_.sessions.counters.http_requests.add();
  const ResponseOptions options{false, false, parts_.is_tls};
  exchange_ = std::make_shared<HttpExchange>(
      HttpRequest(), options, parts_.executor, [this] { on_answer(); });
  exchange_since_us_ = parts_.sessions.clock.monotonic_us();
  input_may_follow_ = true;
  const UploadHead& head = source_.head();
  const bool is_upload = state == SourceRequest::State::kWhole && is_ingest_path(head.request.path);
  if (!is_upload) return refuse({405, kMethodsTaken});
  // No browser sends this method, so there is no Origin or Host to judge.
  const int begun = begin_upload(head);
  if (upload_ != nullptr && exchange_ != nullptr) upload_->on_body(source_.rest());
  return begun;
}

int Connection::on_confirm_upgrade() {
  const RequestHead head = read_request_head(wsi_);
  auto refusal = check_request(head, parts_.rules);
  if (!refusal) refusal = check_upgrade(head);
  const bool is_served = head.path == "/v1/uplink" || head.path == "/v1/subscribe" ||
                         parts_.further_sessions.count(head.path) != 0;
  if (!refusal && !is_served)
    refusal = HttpRefusal{404, "WebSockets are served at /v1/uplink and /v1/subscribe"};
  if (!refusal && parts_.draining) refusal = HttpRefusal{503, "the server is draining"};
  if (!refusal) {
    upgrade_path_ = head.path;
    upgrade_token_ = bearer_token(head.authorization);
    upgrade_ticket_ = read_request(wsi_, head).query_value("ticket");
    return 0;
  }
  parts_.sessions.counters.refused_requests.add();
  const HttpResponse problem = make_problem(refusal->status, refusal->detail);
  const ResponseOptions options{false, false, parts_.is_tls};
  write_bytes(wsi_, render_response_head(problem, problem.body.size(), options) + problem.body);
  return -1;
}

void Connection::watch_http(std::int64_t now_us) {
  if (exchange_ != nullptr) {
    watch_response(now_us);
  } else if (requests_ > 0 && now_us - exchange_since_us_ > kIdleMaxUs) {
    hang_up();
  }
  if (lingering_since_us_ != 0 && now_us - lingering_since_us_ > kLingerUs) hang_up();
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

}  // namespace qylon::realtime

#include "realtime/ingest_upload.hpp"

#include <limits>
#include <utility>

#include <libwebsockets.h>

#include "realtime/lws_socket.hpp"

namespace qylon::realtime {
namespace {

constexpr std::string_view kSource = "SOURCE";
constexpr const char* kAsksHowToLogIn =
    "an upload without a byte and without a password only asks whether one is wanted: it is";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// Most such clients send nothing before it; after it they read nothing.
constexpr int kTicksBeforeWelcome = 6;  // Of 50 ms.
constexpr std::string_view kWelcomeOfSource = "HTTP/1.0 200 OK\r\n\r\n";

}  // namespace

bool IngestUpload::is_wanted(const RequestHead& head) noexcept {
  return is_ingest_path(head.path) && (head.method == "POST" || head.method == "PUT");
}

std::variant<std::unique_ptr<IngestUpload>, HttpRefusal> IngestUpload::create(
    Parts parts,
    const UploadHead& head,
    const std::string& peer_address,
    bool peer_is_loopback) {
  // libshout's first question. Taken as an upload it would make a meeting that nobody wants.
  if (head.request.content_length == "0" && !head.request.authorization)
    return HttpRefusal{401, kAsksHowToLogIn};
  const auto plan = plan_stream(head.request);
  if (const auto* refusal = std::get_if<HttpRefusal>(&plan)) return *refusal;
  auto request = read_ingest_request(head);
  if (const auto* refusal = std::get_if<HttpRefusal>(&request)) return *refusal;
  IngestSession::Asked asked{std::get<IngestRequest>(std::move(request)),
                             ingest_token(head.request.authorization),
                             peer_address,
                             peer_is_loopback};
  std::string welcome;
  if (head.expects_continue) welcome = kContinue;
  if (head.request.method == kSource) welcome = kWelcomeOfSource;
  return std::unique_ptr<IngestUpload>(new IngestUpload(
      std::move(parts), std::get<BodyPlan>(plan), std::move(welcome), std::move(asked)));
}

IngestUpload::IngestUpload(Parts parts,
                           const BodyPlan& plan,
                           std::string welcome,
                           IngestSession::Asked asked)
    : parts_(std::move(parts)),
      welcome_(std::move(welcome)),
      is_source_(welcome_ == kWelcomeOfSource),
      body_(plan, std::numeric_limits<std::uint64_t>::max()),
      socket_(parts_.wsi,
              parts_.loop,
              {[this](std::string_view bytes) { on_body(bytes); },
               [this] { on_end_of_connection(); },
               [this] { on_tick(); }}),
      session_(std::make_shared<IngestSession>(*this,
                                               parts_.sessions,
                                               parts_.http,
                                               std::move(asked),
                                               parts_.executor)) {}

void IngestUpload::proceed() {
  // libwebsockets' patience with a body ends long before the session's.
  lws_set_timeout(parts_.wsi, NO_PENDING_TIMEOUT, 0);
  opened_ = true;
  if (!is_source_) welcome();
}

void IngestUpload::welcome() {
  // Who sends already waits for no welcome. Closing with it unread, such a client's TCP would reset
  // the connection and throw away what of the body is not here yet.
  welcomed_ = !begun_ && !has_unread_input(parts_.wsi);
  // A connection that broke is noticed by the next read.
  if (welcomed_ && !welcome_.empty()) static_cast<void>(write_bytes(parts_.wsi, welcome_));
}

void IngestUpload::on_tick() {
  // A source that does not wait may need a moment for its first bytes.
  if (is_source_ && opened_ && ++ticks_ == kTicksBeforeWelcome) welcome();
  session_->on_tick();
}

void IngestUpload::on_body(std::string_view bytes) {
  begun_ = begun_ || !bytes.empty();
  decoded_.clear();
  const auto state = body_.feed(bytes, decoded_);
  if (state == BodyDecoder::State::kBad)
    return session_->fail(400, "the chunked body is malformed");
  if (!decoded_.empty()) session_->on_bytes(decoded_);
  if (state == BodyDecoder::State::kMore) return;
  socket_.pause(true);
  session_->on_end(true);
}

void IngestUpload::on_end_of_connection() {
  socket_.pause(true);
  session_->on_end(body_.ends_with_connection());
}

void IngestUpload::answer(HttpResponse response) {
  socket_.stop();
  if (is_source_ && welcomed_) return parts_.close();
  parts_.answer(std::move(response));
}

}  // namespace qylon::realtime

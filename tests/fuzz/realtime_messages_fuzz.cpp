/// Any text as a client's message, a topic, a request header or a URL. What is taken can be written
/// again and means the same; what is refused is refused with a sentence that can be sent.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/check.hpp"
#include "core/utf8.hpp"
#include "realtime/request_rules.hpp"
#include "realtime/session_json.hpp"
#include "realtime/ws_url.hpp"

namespace {

namespace realtime = qylon::realtime;

void check_refusal(const qylon::Error& error) {
  QYLON_CHECK(!error.message.empty());
  const std::string frame = realtime::encode_error({error.code, 4503, error.message, 0});
  QYLON_CHECK(qylon::is_utf8(frame));
}

void check_messages(std::string_view text) {
  const auto uplink = realtime::parse_uplink_message(text);
  if (!uplink) check_refusal(uplink.error());
  if (uplink && std::holds_alternative<realtime::HelloMessage>(*uplink)) {
    const auto& hello = std::get<realtime::HelloMessage>(*uplink);
    QYLON_CHECK(!hello.tracks.empty() && hello.tracks.size() <= realtime::kTracksMax);
  }
  const auto subscriber = realtime::parse_subscriber_message(text);
  if (!subscriber) check_refusal(subscriber.error());
  const auto topic = realtime::parse_topic(text);
  if (topic) QYLON_CHECK(realtime::parse_topic(realtime::topic_text(*topic)) == topic);
}

void check_request(std::string_view text) {
  realtime::RequestHead head;
  head.method = "POST";
  head.is_http_1_1 = true;
  head.path = text;
  head.host = text;
  head.origin = text;
  head.connection = text;
  head.content_length = text;
  head.websocket_protocols = text;
  head.websocket_key = text;
  const realtime::EdgeRules rules;
  if (!realtime::check_request(head, rules)) {
    QYLON_CHECK(qylon::is_utf8(head.path) && head.path.find("/../") == std::string::npos);
    realtime::check_upgrade(head);
  }
  const auto plan = realtime::plan_body(head, rules);
  if (const auto* body = std::get_if<realtime::BodyPlan>(&plan))
    QYLON_CHECK(body->length <= rules.body_bytes_max);
  realtime::keeps_alive(head);
}

void check_url(std::string_view text) {
  const auto url = realtime::parse_ws_url(text);
  if (!url) return check_refusal(url.error());
  const std::string again = (url->is_tls ? "wss://" : "ws://") + url->authority() + url->target;
  const auto second = realtime::parse_ws_url(again);
  QYLON_CHECK(second && second->host == url->host && second->port == url->port);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_messages(text);
  check_request(text);
  check_url(text);
  return 0;
}

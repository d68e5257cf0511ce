#pragma once
/// Which HTTP requests and WebSocket upgrades are taken at all, before anyone acts on them.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace qylon::realtime {

/// What the rules look at. An absent header has no value; `repeated` covers the headers that decide
/// where a request ends or whom it is for.
struct RequestHead {
  std::string method;  ///< "GET"; empty when libwebsockets named none.
  std::string path;    ///< Percent-decoded once.
  bool is_http_1_1 = false;
  bool repeated = false;  ///< Host, Content-Length or Transfer-Encoding came more than once.
  std::optional<std::string> host;
  std::optional<std::string> origin;
  std::optional<std::string> authorization;
  std::optional<std::string> requested_headers;  ///< Access-Control-Request-Headers.
  std::optional<std::string> content_length;
  std::optional<std::string> transfer_encoding;
  std::optional<std::string> connection;
  std::optional<std::string> upgrade;
  std::optional<std::string> websocket_key;
  std::optional<std::string> websocket_version;
  std::optional<std::string> websocket_protocols;
};

struct EdgeRules {
  std::vector<std::string> allowed_origins;  ///< "https://app.example"; "*" takes all.
  std::size_t body_bytes_max = 1 << 20;
};

struct HttpRefusal {
  int status = 400;
  std::string detail;
};

/// How the body ends.
struct BodyPlan {
  bool chunked = false;
  std::uint64_t length = 0;  ///< When not chunked.
  /// A method with a body, but no length: RFC 9112 section 6.3 says that there is none. To
  /// libwebsockets what follows would be the body, so nothing may follow.
  bool unframed = false;
  bool until_close = false;  ///< What follows the header up to the end of the connection.
};

/// RFC 9112 sections 3.2 and 6: one Host, one kind of length, no guessing; then Origin by
/// our own list. Nothing when the request is fine.
std::optional<HttpRefusal> check_request(const RequestHead& head, const EdgeRules& rules);
/// REQUIRES: check_request() found nothing.
std::variant<BodyPlan, HttpRefusal> plan_body(const RequestHead& head, const EdgeRules& rules);
/// The same for a body that is taken as it comes, of any length: a PUT without a length and a
/// SOURCE last until the connection ends, as source clients of Icecast do it.
std::variant<BodyPlan, HttpRefusal> plan_stream(const RequestHead& head);
/// RFC 6455 section 4.2.1, only `GET`, version 13 and the sub-protocol qylon.v1 or none.
/// REQUIRES: check_request() found nothing.
std::optional<HttpRefusal> check_upgrade(const RequestHead& head);

/// True when bytes follow the header, however wrong their announcement may be.
bool announces_body(const RequestHead& head);
/// True when the connection may carry another request after this one.
bool keeps_alive(const RequestHead& head);
/// The bearer token in `authorization`, or empty.
std::string_view bearer_token(const std::optional<std::string>& authorization) noexcept;

inline constexpr std::string_view kSubprotocol = "qylon.v1";

}  // namespace qylon::realtime

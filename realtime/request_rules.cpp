#include "realtime/request_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "core/utf8.hpp"

namespace qylon::realtime {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

// True when one element of a comma list satisfies `is_wanted`.
template <typename Predicate>
bool any_in_list(std::string_view list, const Predicate& is_wanted) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (is_wanted(trimmed(list.substr(0, comma)))) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

bool origin_is_allowed(const RequestHead& head, const EdgeRules& rules) {
  if (!head.origin) return true;
  const std::string_view origin = *head.origin;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.substr(0, scheme.size()) == scheme &&
        same_ignoring_case(origin.substr(scheme.size()), *head.host))
      return true;
  }
  return std::any_of(rules.allowed_origins.begin(),
                     rules.allowed_origins.end(),
                     [&](const auto& o) { return o == "*" || same_ignoring_case(o, origin); });
}

bool path_is_clean(std::string_view path) {
  if (path.empty() || path.front() != '/' || !is_utf8(path)) return false;
  if (std::any_of(
          path.begin(), path.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }))
    return false;
  for (std::size_t at = path.find("/.."); at != std::string_view::npos;
       at = path.find("/..", at + 1)) {
    if (at + 3 == path.size() || path[at + 3] == '/') return false;
  }
  return true;
}

bool method_is_known(std::string_view method) {
  constexpr std::array<std::string_view, 7> kMethods{
      "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

/// A body is expected, of any framing; without a length there is none.
bool method_has_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

/// RFC 9110 section 9.3.5 gives the body of a DELETE no meaning, but auth-js sends one.
bool method_may_have_length(std::string_view method) {
  return method_has_body(method) || method == "DELETE";
}

std::optional<std::size_t> parse_length(std::string_view text) {
  std::size_t value = 0;
  const char* const end = text.data() + text.size();
  const bool digits_only = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
  if (!digits_only) return std::nullopt;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  // All digits but out of range: certainly too large, which the caller's limit says better.
  if (error == std::errc::result_out_of_range) return static_cast<std::size_t>(-1);
  return stop == end ? std::optional<std::size_t>(value) : std::nullopt;
}

}  // namespace

std::optional<HttpRefusal> check_request(const RequestHead& head, const EdgeRules& rules) {
  if (head.repeated)
    return HttpRefusal{400, "Host, Content-Length and Transfer-Encoding may come only once"};
  if (!head.host || head.host->empty()) return HttpRefusal{400, "a Host header is required"};
  if (!path_is_clean(head.path))
    return HttpRefusal{400, "the path must be absolute UTF-8 without control characters or .."};
  if (head.content_length && head.transfer_encoding)
    return HttpRefusal{400, "Content-Length and Transfer-Encoding exclude each other"};
  if (!origin_is_allowed(head, rules))
    return HttpRefusal{403, "this Origin is not on the list of allowed origins"};
  if (!method_is_known(head.method))
    return HttpRefusal{405, "the method must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS"};
  return std::nullopt;
}

std::variant<BodyPlan, HttpRefusal> plan_body(const RequestHead& head, const EdgeRules& rules) {
  if (head.transfer_encoding) {
    if (!head.is_http_1_1 || !same_ignoring_case(trimmed(*head.transfer_encoding), "chunked"))
      return HttpRefusal{501, "the only Transfer-Encoding taken is chunked, in HTTP/1.1"};
    if (!method_has_body(head.method)) return HttpRefusal{400, "this method takes no body"};
    return BodyPlan{.chunked = true};
  }
  if (!head.content_length) return BodyPlan{.unframed = method_has_body(head.method)};
  const auto length = parse_length(*head.content_length);
  if (!length) return HttpRefusal{400, "Content-Length must be digits"};
  if (*length > 0 && !method_may_have_length(head.method))
    return HttpRefusal{400, "this method takes no body"};
  if (*length > rules.body_bytes_max)
    return HttpRefusal{
        413, "the body may have at most " + std::to_string(rules.body_bytes_max) + " bytes"};
  return BodyPlan{.length = *length};
}

std::variant<BodyPlan, HttpRefusal> plan_stream(const RequestHead& head) {
  if (head.method == "SOURCE") return BodyPlan{.until_close = true};
  EdgeRules any_length;
  any_length.body_bytes_max = std::numeric_limits<std::size_t>::max();
  auto plan = plan_body(head, any_length);
  const auto* const body = std::get_if<BodyPlan>(&plan);
  if (body == nullptr || !body->unframed) return plan;
  if (head.method != "PUT")
    return HttpRefusal{411, "send Transfer-Encoding: chunked, or a Content-Length"};
  return BodyPlan{.until_close = true};
}

std::optional<HttpRefusal> check_upgrade(const RequestHead& head) {
  const auto has = [](const std::optional<std::string>& list, std::string_view name) {
    return list && any_in_list(*list, [name](std::string_view item) {
             return same_ignoring_case(item, name);
           });
  };
  if (head.method != "GET" || !head.is_http_1_1)
    return HttpRefusal{400, "an upgrade must be a GET over HTTP/1.1"};
  if (!head.upgrade || !same_ignoring_case(*head.upgrade, "websocket"))
    return HttpRefusal{400, "the only Upgrade taken is websocket"};
  if (!has(head.connection, "upgrade"))
    return HttpRefusal{400, "an upgrade needs Connection: Upgrade"};
  if (head.content_length || head.transfer_encoding)
    return HttpRefusal{400, "an upgrade takes no body"};
  if (head.websocket_version != "13")
    return HttpRefusal{426, "the only Sec-WebSocket-Version taken is 13"};
  // 16 bytes in base64: 22 characters and two '='.
  const std::string_view key = head.websocket_key ? std::string_view(*head.websocket_key) : "";
  if (key.size() != 24 || key.substr(22) != "==")
    return HttpRefusal{400, "Sec-WebSocket-Key must be 16 bytes in base64"};
  if (!head.websocket_protocols) return std::nullopt;
  const bool offers_ours = head.websocket_protocols->size() < 120 &&
                           any_in_list(*head.websocket_protocols,
                                       [](std::string_view item) { return item == kSubprotocol; });
  if (!offers_ours) return HttpRefusal{400, "offer the sub-protocol qylon.v1, or none"};
  return std::nullopt;
}

bool announces_body(const RequestHead& head) {
  return head.content_length || (head.transfer_encoding && method_has_body(head.method));
}

bool keeps_alive(const RequestHead& head) {
  const auto says = [&head](std::string_view word) {
    return head.connection && any_in_list(*head.connection, [word](std::string_view item) {
             return same_ignoring_case(item, word);
           });
  };
  if (says("close")) return false;
  return head.is_http_1_1 || says("keep-alive");
}

std::string_view bearer_token(const std::optional<std::string>& authorization) noexcept {
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization || authorization->size() < kScheme.size()) return {};
  const std::string_view value = *authorization;
  if (!same_ignoring_case(value.substr(0, kScheme.size()), kScheme)) return {};
  return trimmed(value.substr(kScheme.size()));
}

}  // namespace qylon::realtime

#include "realtime/ws_url.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace qylon::realtime {
namespace {

Error wrong(std::string_view url) {
  return {ErrorCode::kInvalidArgument,
          "not a WebSocket URL: \"" + std::string(url.substr(0, 200)) +
              "\"; it must look like ws://host:8080/path or wss://host/path"};
}

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end || port < 1 || port > 65'535) return std::nullopt;
  return port;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

std::string WsUrl::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  std::string text = is_ipv6 ? "[" + host + "]" : host;
  if (port != (is_tls ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

Result<WsUrl> parse_ws_url(std::string_view url) {
  WsUrl parsed;
  std::string_view rest = url;
  if (rest.substr(0, 5) == "ws://") {
    rest.remove_prefix(5);
  } else if (rest.substr(0, 6) == "wss://") {
    rest.remove_prefix(6);
    parsed.is_tls = true;
    parsed.port = 443;
  } else {
    return wrong(url);
  }
  const std::size_t path = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, path);
  const std::string_view target = rest.substr(path);
  if (!is_printable(rest) || rest.find('#') != std::string_view::npos) return wrong(url);
  if (authority.find('@') != std::string_view::npos) return wrong(url);
  parsed.target = target.empty() || target.front() == '?' ? "/" + std::string(target) : target;

  const bool is_ipv6 = !authority.empty() && authority.front() == '[';
  const std::size_t host_end =
      is_ipv6 ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) return wrong(url);
  parsed.host = is_ipv6 ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  if (parsed.host.empty() || parsed.host.find_first_of("[]") != std::string::npos)
    return wrong(url);
  authority.remove_prefix(is_ipv6 ? host_end + 1 : host_end);
  if (authority.empty()) return parsed;
  const auto port = authority.front() == ':' ? parse_port(authority.substr(1)) : std::nullopt;
  if (!port) return wrong(url);
  parsed.port = *port;
  return parsed;
}

}  // namespace qylon::realtime

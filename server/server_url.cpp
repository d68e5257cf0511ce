#include "server/server_url.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace qylon::server {
namespace {

struct Scheme {
  std::string_view prefix;
  bool tls;
};
constexpr std::array<Scheme, 4> kSchemes{
    {{"http://", false}, {"https://", true}, {"ws://", false}, {"wss://", true}}};

Error wrong(std::string_view text) {
  return {ErrorCode::kInvalidArgument,
          "\"" + std::string(text) + "\" is not a server; one is written http://HOST:PORT"};
}

int default_port(bool tls) {
  return tls ? 443 : 80;
}

/// Visible ASCII without what could end the host or the request line that it is put into.
bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return c > ' ' && c < '\x7F' && std::string_view("/?#@[]\\\"<>").find(c) == std::string::npos;
  });
}

}  // namespace

std::string ServerUrl::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != default_port(tls)) text += ":" + std::to_string(port);
  return text;
}

std::string ServerUrl::http(std::string_view path) const {
  return (tls ? "https://" : "http://") + authority() + std::string(path);
}

std::string ServerUrl::websocket(std::string_view path) const {
  return (tls ? "wss://" : "ws://") + authority() + std::string(path);
}

Result<ServerUrl> parse_server_url(std::string_view text) {
  const auto scheme = std::find_if(kSchemes.begin(), kSchemes.end(), [text](const Scheme& known) {
    return text.starts_with(known.prefix);
  });
  if (scheme == kSchemes.end()) return wrong(text);
  std::string_view rest = text.substr(scheme->prefix.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  ServerUrl url{.host = {}, .port = default_port(scheme->tls), .tls = scheme->tls};
  std::string_view host = rest;
  std::string_view port;
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return wrong(text);
    host = rest.substr(1, end - 1);
    port = rest.substr(end + 1);
  } else if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    host = rest.substr(0, colon);
    port = rest.substr(colon);
  }
  if (!is_host(host)) return wrong(text);
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), url.port);
    const bool whole = error == std::errc{} && end == port.data() + port.size();
    if (port.front() != ':' || !whole || url.port < 1 || url.port > 65535) return wrong(text);
  }
  url.host = host;
  return url;
}

}  // namespace qylon::server

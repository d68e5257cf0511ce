/// Any bytes as the address of a server: what is taken means the same when it is written again, for
/// a browser and for a WebSocket.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.hpp"
#include "realtime/ws_url.hpp"
#include "server/server_url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = qylon::server::parse_server_url(text);
  if (!url) return 0;
  QYLON_CHECK(!url->host.empty() && url->port >= 1 && url->port <= 65'535);
  const auto again = qylon::server::parse_server_url(url->http(""));
  QYLON_CHECK(again && again->host == url->host && again->port == url->port);
  QYLON_CHECK(again->tls == url->tls);
  const auto socket = qylon::realtime::parse_ws_url(url->websocket("/v1/uplink"));
  QYLON_CHECK(socket && socket->host == url->host && socket->port == url->port);
  return 0;
}

/// Any bytes as a WebSocket URL: what is taken can be connected to, and means the same when it is
/// written again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.hpp"
#include "realtime/ws_url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = qylon::realtime::parse_ws_url(text);
  if (!url) return 0;
  QYLON_CHECK(!url->host.empty() && url->port >= 1 && url->port <= 65'535);
  QYLON_CHECK(url->target.starts_with('/'));
  const std::string written = (url->is_tls ? "wss://" : "ws://") + url->authority() + url->target;
  const auto again = qylon::realtime::parse_ws_url(written);
  QYLON_CHECK(again && again->host == url->host && again->port == url->port);
  QYLON_CHECK(again->target == url->target && again->is_tls == url->is_tls);
  // What goes into a request line and a Host header ends neither.
  for (const char c : url->authority() + url->target)
    QYLON_CHECK(c > ' ' && c < 0x7F);
  return 0;
}

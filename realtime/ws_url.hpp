#pragma once
/// A WebSocket URL taken apart.

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace qylon::realtime {

struct WsUrl {
  bool is_tls = false;
  std::string host;    ///< Without the brackets of an IPv6 address.
  int port = 80;       ///< 1..65535; by default 80, with TLS 443.
  std::string target;  ///< Path and query, begins with '/'.

  /// For the Host header: brackets around IPv6, port when it is not the default.
  std::string authority() const;
};

/// Source: RFC 6455 section 3. Errors: kInvalidArgument for anything but ws:// and wss:// with a
/// host, for user names and fragments.
Result<WsUrl> parse_ws_url(std::string_view url);

}  // namespace qylon::realtime

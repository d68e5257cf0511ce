#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace qylon::server {

/// Where a server is, as people write it: http://HOST[:PORT] or https://HOST[:PORT].
struct ServerUrl {
  std::string host;  ///< Name or address; IPv6 without brackets.
  int port = 80;
  bool tls = false;

  /// HOST:PORT as in a Host header, IPv6 in brackets, the scheme's own port left out.
  std::string authority() const;
  /// The same server for a browser: http(s)://HOST:PORT + path.
  std::string http(std::string_view path) const;
  /// The same server for a WebSocket: ws(s)://HOST:PORT + path.
  std::string websocket(std::string_view path) const;
};

/// Takes http, https, ws and wss; a last slash does not matter.
/// Errors: kInvalidArgument that shows the right form; user names, paths and queries are refused.
Result<ServerUrl> parse_server_url(std::string_view text);

}  // namespace qylon::server

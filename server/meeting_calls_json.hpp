#pragma once
/// What the command-line tools ask of a server's REST interface (docs/PROTOCOL.md, "REST").

#include <string>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "server/server_url.hpp"

namespace qylon::server {

/// A server and the right to use it.
struct ServerLogin {
  ServerUrl url;
  std::string token;  ///< Empty: none.
};

/// Errors: http_request()'s, and the server's refusals in its own words.
Result<MeetingId> create_meeting(const ServerLogin& server, const std::string& title);

/// `path` with query. Errors: as create_meeting().
Result<std::string> fetch(const ServerLogin& server, const std::string& path);

}  // namespace qylon::server

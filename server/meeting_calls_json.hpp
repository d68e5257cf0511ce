#pragma once
/// What the command-line tools ask of a server (docs/PROTOCOL.md, "REST" and "Users").

#include <string>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "server/server_login.hpp"

namespace qylon::server {

/// Errors: http_request()'s, and the server's refusals in its own words.
Result<MeetingId> create_meeting(const ServerLogin& server, const std::string& title);

/// What belongs behind the '#' of a page's address to sign the owner in there, once.
/// Errors: as create_meeting().
Result<std::string> sign_in_fragment(const ServerLogin& server);

/// `path` with query. Errors: as create_meeting().
Result<std::string> fetch(const ServerLogin& server, const std::string& path);

}  // namespace qylon::server

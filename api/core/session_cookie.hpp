#pragma once
/// The access token as a browser keeps it for pages that keep none themselves.

#include <cstdint>
#include <string>
#include <string_view>

namespace qylon::api {

/// What the server set, in a Cookie header; empty when it is not there. Of several the first
/// counts. Source: RFC 6265 section 4.2.1.
std::string_view session_cookie(std::string_view header) noexcept;

/// A Set-Cookie header. No script reads it, no other host sets it, no other site's request brings
/// it, and it is sent over TLS and to localhost only. An empty token takes it away.
/// Source: RFC 6265bis sections 4.1.3.2 and 5.5.7.1.
std::string set_session_cookie(std::string_view token, std::int64_t seconds);

}  // namespace qylon::api

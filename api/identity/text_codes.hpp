#pragma once
/// Bytes as text that survives URLs, headers and people.

#include <optional>
#include <string>
#include <string_view>

namespace qylon::api {

/// RFC 4648 section 5, without padding.
std::string base64url(std::string_view bytes);
/// The inverse. Nothing for a foreign character, padding, an impossible length, or bits behind the
/// last byte that are not zero: every byte string has exactly one text.
std::optional<std::string> parse_base64url(std::string_view text);

/// RFC 4648 section 6, without padding: what authenticator apps take.
std::string base32(std::string_view bytes);

/// Lower case.
std::string hex(std::string_view bytes);
/// Nothing for an odd length or a foreign character.
std::optional<std::string> parse_hex(std::string_view text);

/// RFC 3986 section 2.1: everything but unreserved characters is escaped.
std::string percent_encoded(std::string_view text);

}  // namespace qylon::api

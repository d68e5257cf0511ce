#pragma once
/// Digests and randomness of the identity parts; all of them are OpenSSL's.

#include <cstddef>
#include <string>
#include <string_view>

namespace qylon::api {

/// 32 bytes. Source: FIPS 180-4.
std::string sha256(std::string_view text);
/// 20 bytes. Source: RFC 2104 with SHA-1, which RFC 6238 prescribes for what apps can read.
std::string hmac_sha1(std::string_view key, std::string_view text);
/// 32 bytes. Source: RFC 2104.
std::string hmac_sha256(std::string_view key, std::string_view text);

/// Whether both are the same, in a time that tells only whether their lengths are.
bool same_secret(std::string_view a, std::string_view b) noexcept;

/// Aborts only when the system has no randomness.
std::string random_bytes(std::size_t count);
/// 256 random bits as base64url, 43 characters.
std::string random_token();
/// As many decimal digits, each equally likely.
std::string random_digits(std::size_t count);

}  // namespace qylon::api

#pragma once
/// Public keys as issuers publish them. Source: RFC 7517.

#include <map>
#include <string>
#include <string_view>

#include "api/identity/jwt_key.hpp"
#include "core/result.hpp"

namespace qylon::api {

inline constexpr std::size_t kJwksBytesMax = 65'536;
inline constexpr std::size_t kJwksKeysMax = 64;

/// One JWK of a P-256 key for ES256.
std::string to_jwk(const SigningKey::Point& point, std::string_view kid);
/// The keys by their id. Those that are not for our algorithms (EC on P-256 with ES256, RSA with
/// RS256) or not for signatures are left out; symmetric ones too, which nobody may publish.
/// Errors: kInvalidArgument for what is no key set, is too large, or has no key for us.
Result<std::map<std::string, JwtKey, std::less<>>> parse_jwks(std::string_view text);

}  // namespace qylon::api

#pragma once
/// JSON Web Tokens, strictly: what is not exactly right is refused. Source: RFC 7519, RFC 8725.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/identity/jwt_key.hpp"
#include "core/result.hpp"

namespace qylon::api {

inline constexpr std::size_t kJwtBytesMax = 8192;

/// `claims` (a JSON object) signed by `key`, whose id the header names.
std::string sign_jwt(std::string_view claims, const SigningKey& key, std::string_view kid);

/// Whose tokens are taken: one issuer's keys by their id.
struct JwtIssuer {
  std::map<std::string, JwtKey, std::less<>> keys;
  /// Whether its tokens may stand for the server itself (role service_role).
  bool may_serve = false;
};
/// By the claim `iss`.
using JwtIssuers = std::map<std::string, JwtIssuer, std::less<>>;

/// What a token that was found right says.
struct JwtClaims {
  std::string json;  ///< The payload, a JSON object.
  std::string role;  ///< "anon", "authenticated" or "service_role".
  std::string user;  ///< The claim `sub`, a UUID; empty for role anon and service_role.
  std::string org;   ///< The claim `app_metadata.org_id`, or empty.
  std::optional<std::vector<std::string>> scopes;  ///< The claim `scopes`.
  std::string session;                             ///< The claim `session_id`, or empty.
  std::int64_t issued_s = 0;
  std::int64_t expires_s = 0;
};

/// Checks `token`: size, form, header (`alg` must be the key's; `crit`, `b64`, `jwk`, `jku`, `x5u`
/// and `x5c` are refused), signature, and the claims `iss`, `aud` ("authenticated"), `exp`, `nbf`,
/// `iat` (with 30 s for clocks that are off), `role`, `sub`. Members that appear twice are refused.
/// A token without `kid` is taken only from an issuer with a single key.
///
/// Cost   : one signature (JwtKey); cheap checks come first.
/// Errors : kUnauthenticated with a reason that never holds the token.
Result<JwtClaims> verify_jwt(std::string_view token, const JwtIssuers& issuers, std::int64_t now_s);

}  // namespace qylon::api

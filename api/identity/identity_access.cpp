#include "api/identity/identity_access.hpp"

#include <memory>

#include "api/identity/digest.hpp"

namespace qylon::api {
namespace {

Principal principal_of(const JwtClaims& claims) {
  return {.role = claims.role,
          .user = claims.user,
          .claims = claims.json,
          .org = claims.org,
          .scopes = claims.scopes};
}

}  // namespace

Result<Principal> IdentityAccess::identify(const Credentials& credentials) const {
  const std::string_view shown =
      credentials.token.empty() ? credentials.api_key : credentials.token;
  if (shown.empty() || shown.starts_with("qyl_")) return parts_.token.identify({.token = shown});
  if (same_secret(shown, parts_.identity.publishable_key())) return Principal{};
  if (!shown.starts_with(kApiKeyPrefix)) return identify_token(shown);
  auto found = parts_.identity.api_keys().find(shown, Moment::now(parts_.clock));
  if (found) return *std::move(found);
  return Error{ErrorCode::kUnauthenticated, "the API key is unknown, expired or revoked"};
}

Result<Principal> IdentityAccess::identify_token(std::string_view token) const {
  const std::int64_t now_s = Moment::now(parts_.clock).seconds();
  if (parts_.foreign_keys != nullptr) parts_.foreign_keys->freshen(false);
  const std::uint64_t version = parts_.identity.keys().version();
  if (keys_version_.exchange(version) != version) cache_.clear();
  const std::string digest = sha256(token);
  auto claims = cache_.find(digest, now_s);
  if (!claims) {
    auto verified = verify_jwt(token, *parts_.identity.keys().issuers(), now_s);
    if (!verified && parts_.foreign_keys != nullptr) parts_.foreign_keys->freshen(true);
    if (!verified) return verified.error();
    claims = std::make_shared<const JwtClaims>(*std::move(verified));
    cache_.add(digest, claims);
  }
  if (!claims->session.empty() && parts_.identity.revocations().contains(claims->session)) {
    return Error{ErrorCode::kUnauthenticated, "the session was signed out: log in again"};
  }
  return principal_of(*claims);
}

}  // namespace qylon::api

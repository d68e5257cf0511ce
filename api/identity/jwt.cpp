#include "api/identity/jwt.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "api/identity/strict_json.hpp"
#include "api/identity/text_codes.hpp"
#include "core/ids.hpp"

namespace qylon::api {
namespace {

constexpr std::int64_t kLeewayS = 30;
constexpr int kDepthMax = 16;
constexpr std::string_view kAudience = "authenticated";
// The last second of the year 9999: later ones overflow what reads them.
constexpr std::int64_t kTimeMax = 253'402'300'799;

Error refused(std::string why) {
  return {ErrorCode::kUnauthenticated, "the token is not valid: " + std::move(why)};
}

struct Parts {
  std::string_view signed_text;  // Header, dot, payload.
  Json header;
  std::string payload_text;
  Json payload;
  std::string signature;
};

Result<Json> parse_part(const std::optional<std::string>& text, const char* name) {
  if (!text) return refused(std::string(name) + " is not base64url");
  auto parsed = parse_strict_object(*text, kDepthMax);
  if (!parsed) return refused(std::string(name) + ": " + parsed.error().message);
  return parsed;
}

Result<Parts> take_apart(std::string_view token) {
  if (token.size() > kJwtBytesMax) return refused("it is longer than 8192 bytes");
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) {
    return refused("it has not three parts");
  }
  Parts parts;
  parts.signed_text = token.substr(0, second);
  auto header = parse_part(parse_base64url(token.substr(0, first)), "the header");
  if (!header) return header.error();
  parts.header = *std::move(header);
  auto payload = parse_base64url(token.substr(first + 1, second - first - 1));
  auto document = parse_part(payload, "the payload");
  if (!document) return document.error();
  parts.payload = *std::move(document);
  parts.payload_text = *std::move(payload);
  auto signature = parse_base64url(token.substr(second + 1));
  if (!signature || signature->empty()) return refused("the signature is not base64url");
  parts.signature = *std::move(signature);
  return parts;
}

/// The key that the token must have been signed with; the header only names it.
Result<const JwtKey*> choose_key(const Json& header, const JwtIssuer& issuer) {
  for (const char* const name : {"crit", "b64", "jwk", "jku", "x5u", "x5c"}) {
    if (header.contains(name)) return refused(std::string("its header has ") + name);
  }
  if (header.contains("typ") && header["typ"] != "JWT") return refused("its type is not JWT");
  const JwtKey* key = nullptr;
  if (header.contains("kid")) {
    const Json& kid = header["kid"];
    const auto found =
        kid.is_string() ? issuer.keys.find(kid.get_ref<const std::string&>()) : issuer.keys.end();
    if (found != issuer.keys.end()) key = &found->second;
  } else if (issuer.keys.size() == 1) {
    key = &issuer.keys.begin()->second;
  }
  if (key == nullptr) return refused("no key of its issuer has its key id");
  const auto algorithm = header.find("alg");
  if (algorithm == header.end() || *algorithm != algorithm_name(key->algorithm())) {
    return refused("its algorithm is not its key's");
  }
  return key;
}

/// A NumericDate; fractions are cut off, as RFC 7519 section 2 allows them.
std::optional<std::int64_t> time_claim(const Json& payload, const char* name) {
  const auto claim = payload.find(name);
  if (claim == payload.end() || !claim->is_number()) return std::nullopt;
  const double seconds = claim->get<double>();
  if (!(seconds >= 0 && seconds <= static_cast<double>(kTimeMax))) return std::nullopt;
  return static_cast<std::int64_t>(seconds);
}

Status check_times(const Json& payload, std::int64_t now_s) {
  const auto expires = time_claim(payload, "exp");
  if (!expires) return refused("it has no time of expiry");
  if (*expires <= now_s) return refused("it has expired");
  for (const char* const name : {"nbf", "iat"}) {
    if (!payload.contains(name)) continue;
    const auto from = time_claim(payload, name);
    if (!from) return refused(std::string(name) + " is not a time");
    if (*from > now_s + kLeewayS) return refused(std::string(name) + " is in the future");
  }
  return ok();
}

bool is_for_us(const Json& payload) {
  const auto audience = payload.find("aud");
  if (audience == payload.end()) return false;
  if (audience->is_string()) return *audience == kAudience;
  return audience->is_array() &&
         std::find(audience->begin(), audience->end(), Json(kAudience)) != audience->end();
}

std::string text_claim(const Json& payload, const char* name) {
  const auto claim = payload.find(name);
  return claim != payload.end() && claim->is_string() ? claim->get<std::string>() : std::string();
}

std::string org_claim(const Json& payload) {
  const auto metadata = payload.find("app_metadata");
  const bool is_there = metadata != payload.end() && metadata->is_object();
  return is_there ? text_claim(*metadata, "org_id") : std::string();
}

/// What is no text opens nothing.
std::optional<std::vector<std::string>> scopes_claim(const Json& payload) {
  const auto claim = payload.find("scopes");
  if (claim == payload.end()) return std::nullopt;
  std::vector<std::string> scopes;
  for (const Json& scope : *claim) {
    if (scope.is_string()) scopes.push_back(scope.get<std::string>());
  }
  return scopes;
}

/// Keys that a project gives to its programs (roles anon and service_role) name nobody.
Result<JwtClaims> check_claims(Parts parts, const JwtIssuer& issuer, std::int64_t now_s) {
  const Status timely = check_times(parts.payload, now_s);
  if (!timely) return timely.error();
  JwtClaims claims;
  claims.role = text_claim(parts.payload, "role");
  const bool is_user = claims.role == "authenticated";
  const bool is_server = claims.role == "service_role" && issuer.may_serve;
  if (!is_user && !is_server && claims.role != "anon") return refused("its role is none of ours");
  if (is_user || parts.payload.contains("aud")) {
    if (!is_for_us(parts.payload)) return refused("it is for another audience");
  }
  if (is_user) {
    const auto subject = Uuid::parse(text_claim(parts.payload, "sub"));
    if (!subject) return refused("its subject is not a UUID");
    claims.user = subject->to_string();
  } else if (parts.payload.contains("sub")) {
    return refused("its role has no subject");
  }
  claims.org = org_claim(parts.payload);
  claims.scopes = scopes_claim(parts.payload);
  claims.session = text_claim(parts.payload, "session_id");
  claims.issued_s = time_claim(parts.payload, "iat").value_or(0);
  claims.expires_s = *time_claim(parts.payload, "exp");
  claims.json = std::move(parts.payload_text);
  return claims;
}

}  // namespace

std::string sign_jwt(std::string_view claims, const SigningKey& key, std::string_view kid) {
  const Json header{{"alg", "ES256"}, {"kid", kid}, {"typ", "JWT"}};
  const std::string text = base64url(header.dump()) + "." + base64url(claims);
  return text + "." + base64url(key.sign(text));
}

Result<JwtClaims> verify_jwt(std::string_view token,
                             const JwtIssuers& issuers,
                             std::int64_t now_s) {
  auto parts = take_apart(token);
  if (!parts) return parts.error();
  const auto issuer = issuers.find(text_claim(parts->payload, "iss"));
  if (issuer == issuers.end()) return refused("its issuer is unknown");
  const auto key = choose_key(parts->header, issuer->second);
  if (!key) return key.error();
  if (!(*key)->verify(parts->signed_text, parts->signature)) {
    return refused("its signature is wrong");
  }
  return check_claims(*std::move(parts), issuer->second, now_s);
}

}  // namespace qylon::api

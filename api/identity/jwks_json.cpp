#include "api/identity/jwks_json.hpp"

#include <optional>

#include "api/identity/strict_json.hpp"
#include "api/identity/text_codes.hpp"

namespace qylon::api {
namespace {

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

std::string text_member(const Json& key, const char* name) {
  const auto member = key.find(name);
  return member != key.end() && member->is_string() ? member->get<std::string>() : std::string();
}

/// Absent, or what it must be.
bool allows(const Json& key, const char* name, std::string_view wanted) {
  return !key.contains(name) || key[name] == wanted;
}

std::optional<JwtKey> read_key(const Json& key) {
  if (!key.is_object() || !allows(key, "use", "sig")) return std::nullopt;
  const auto number = [&key](const char* name) {
    return parse_base64url(text_member(key, name)).value_or("");
  };
  if (key.value("kty", Json()) == "EC" && key.value("crv", Json()) == "P-256" &&
      allows(key, "alg", "ES256")) {
    auto read = JwtKey::es256(number("x"), number("y"));
    if (read) return *std::move(read);
  }
  if (key.value("kty", Json()) == "RSA" && allows(key, "alg", "RS256")) {
    auto read = JwtKey::rs256(number("n"), number("e"));
    if (read) return *std::move(read);
  }
  return std::nullopt;
}

}  // namespace

std::string to_jwk(const SigningKey::Point& point, std::string_view kid) {
  return Json{{"kty", "EC"},
              {"crv", "P-256"},
              {"x", base64url(point.x)},
              {"y", base64url(point.y)},
              {"kid", kid},
              {"alg", "ES256"},
              {"use", "sig"},
              {"key_ops", {"verify"}}}
      .dump();
}

Result<std::map<std::string, JwtKey, std::less<>>> parse_jwks(std::string_view text) {
  if (text.size() > kJwksBytesMax) return invalid("the key set is longer than 65536 bytes");
  const auto document = parse_strict_object(text, 8);
  if (!document) return invalid("the key set: " + document.error().message);
  const auto listed = document->find("keys");
  if (listed == document->end() || !listed->is_array() || listed->size() > kJwksKeysMax) {
    return invalid("a key set has an array `keys` of at most 64");
  }
  std::map<std::string, JwtKey, std::less<>> keys;
  for (const Json& item : *listed) {
    auto key = read_key(item);
    if (!key) continue;
    if (!keys.emplace(text_member(item, "kid"), *std::move(key)).second) {
      return invalid("two keys of the set have one id");
    }
  }
  if (keys.empty()) return invalid("the set has no key for ES256 or RS256");
  return keys;
}

}  // namespace qylon::api

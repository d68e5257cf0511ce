#pragma once
/// The bodies of /auth/v1. Include in .cpp only.

#include <optional>
#include <string>
#include <string_view>

#include "api/identity/strict_json.hpp"
#include "core/http.hpp"
#include "core/result.hpp"

namespace qylon::api {

/// An object, of which members are read by name; unknown ones are passed over, as GoTrue does.
class AuthBody {
 public:
  /// An empty body is an empty object. Errors: kInvalidArgument.
  static Result<AuthBody> parse(const HttpRequest& request);

  /// Empty when it is absent, null or no string.
  std::string text(const char* name) const;
  bool has(const char* name) const { return json_.contains(name) && !json_[name].is_null(); }
  bool flag(const char* name) const { return json_.value(name, Json()) == true; }
  /// An object in JSON; nothing when it is absent or no object.
  std::optional<std::string> object(const char* name) const;
  /// Errors: kInvalidArgument; see parse_email().
  Result<std::string> email() const;
  /// The challenge of a client that keeps a verifier (RFC 7636 section 4.2), always as S256: where
  /// there is no WebCrypto, as in Node 18, supabase-js sends a `plain` one. Empty when absent.
  std::string code_challenge() const;
  const Json& json() const noexcept { return json_; }

 private:
  explicit AuthBody(Json json) : json_(std::move(json)) {}
  Json json_;
};

}  // namespace qylon::api

#include "api/compat/auth_body.hpp"

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "api/identity/users.hpp"

namespace qylon::api {

Result<AuthBody> AuthBody::parse(const HttpRequest& request) {
  if (request.body.empty()) return AuthBody(Json::object());
  auto document = parse_strict_object(request.body, 32);
  if (!document) return Error{ErrorCode::kInvalidArgument, "the body: " + document.error().message};
  return AuthBody(*std::move(document));
}

std::string AuthBody::text(const char* name) const {
  const auto member = json_.find(name);
  return member != json_.end() && member->is_string() ? member->get<std::string>() : std::string();
}

std::optional<std::string> AuthBody::object(const char* name) const {
  const auto member = json_.find(name);
  if (member == json_.end() || !member->is_object()) return std::nullopt;
  return member->dump();
}

Result<std::string> AuthBody::email() const {
  return parse_email(text("email"));
}

std::string AuthBody::code_challenge() const {
  const std::string challenge = text("code_challenge");
  const bool plain = !challenge.empty() && text("code_challenge_method") == "plain";
  return plain ? base64url(sha256(challenge)) : challenge;
}

}  // namespace qylon::api

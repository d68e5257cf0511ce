#include "api/compat/auth_password.hpp"

#include <utility>

#include "api/http_answers.hpp"

namespace qylon::api {

std::optional<HttpResponse> weak_password(std::string_view password, std::string_view email) {
  const auto weaknesses = password_weaknesses(password, email);
  if (weaknesses.empty()) return std::nullopt;
  std::string reasons;
  for (const std::string_view weakness : weaknesses)
    reasons += (reasons.empty() ? "\"" : ",\"") + std::string(weakness) + "\"";
  HttpResponse response = auth_problem(
      422,
      "weak_password",
      "the password must have 8 characters to 256 bytes, four of them different, and be none of "
      "the commonest");
  response.body.insert(1, "\"weak_password\":{\"reasons\":[" + reasons + "]},");
  return response;
}

void hash_then(AuthContext& context,
               std::string password,
               HttpReply reply,
               std::function<void(std::string phc, HttpReply)> then) {
  const bool taken = context.identity().passwords().hash(
      std::move(password),
      [reply, then = std::move(then)](std::string phc) { then(std::move(phc), reply); });
  if (!taken) {
    reply(problem({ErrorCode::kOverloaded, "too many passwords wait; try again in a second"}));
  }
}

}  // namespace qylon::api

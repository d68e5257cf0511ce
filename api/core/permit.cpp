#include "api/core/permit.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/core/session_cookie.hpp"
#include "core/ids.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::json;

/// The token of a Bearer header; of another header all of it, which no access check will take.
std::string_view bearer_token(std::string_view header) {
  constexpr std::string_view kScheme = "bearer ";
  const bool is_bearer =
      header.size() >= kScheme.size() &&
      std::equal(kScheme.begin(), kScheme.end(), header.begin(), [](char expected, char c) {
        return expected == std::tolower(static_cast<unsigned char>(c));
      });
  return is_bearer ? header.substr(kScheme.size()) : header;
}

/// Reads what the claims say, and puts `org` into them when it is not empty.
Status read_claims(Caller& caller, std::string_view org) {
  Json claims = Json::parse(caller.principal.claims, nullptr, false);
  QYLON_CHECK(claims.is_object());
  const auto metadata = claims.find("app_metadata");
  if (metadata != claims.end() && metadata->is_object()) {
    const auto id = metadata->find("org_id");
    if (id != metadata->end() && id->is_string()) caller.org = id->get<std::string>();
  }
  const auto scopes = claims.find("scopes");
  if (scopes != claims.end()) {
    caller.scopes.emplace();
    for (const Json& scope : *scopes) {
      if (scope.is_string()) caller.scopes->push_back(scope.get<std::string>());
    }
  }
  if (org.empty()) return ok();
  const auto id = Uuid::parse(org);
  if (!id) {
    return Error{ErrorCode::kInvalidArgument, "X-Org-Id must be the organisation's id, a UUID"};
  }
  claims["active_org"] = id->to_string();
  caller.principal.claims = claims.dump();
  return ok();
}

}  // namespace

Result<Caller> identify(const Access& access, const HttpRequest& request) {
  const bool shows_header = !request.authorization.empty() || !request.header("apikey").empty();
  const std::string_view token =
      shows_header ? bearer_token(request.authorization) : session_cookie(request.header("cookie"));
  auto principal = access.identify({.token = token, .api_key = request.header("apikey")});
  if (!principal) return principal.error();
  Caller caller{*std::move(principal), "", std::nullopt};
  if (caller.principal.role != "authenticated") return caller;
  const Status read = read_claims(caller, request.header("x-org-id"));
  if (!read) return read.error();
  return caller;
}

bool shows_nothing(const HttpRequest& request) noexcept {
  return request.authorization.empty() && request.header("apikey").empty() &&
         request.header("cookie").empty();
}

Status permit(const Caller& caller, Permission permission) {
  const std::string& role = caller.principal.role;
  if (permission <= Permission::kAnyone || role == "service_role") return ok();
  if (role == "anon") {
    return Error{ErrorCode::kUnauthenticated,
                 "log in first: send `Authorization: Bearer TOKEN` of a user or an API key"};
  }
  if (permission == Permission::kUser) return ok();
  if (permission == Permission::kService) {
    return Error{ErrorCode::kForbidden, "only the server's own token may do this"};
  }
  const std::string scope(permission_name(permission));
  if (!caller.scopes ||
      std::find(caller.scopes->begin(), caller.scopes->end(), scope) != caller.scopes->end()) {
    return ok();
  }
  return Error{ErrorCode::kForbidden, "this API key lacks the scope \"" + scope + "\""};
}

}  // namespace qylon::api

#include "api/core/permit.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "api/core/session_cookie.hpp"
#include "core/check.hpp"
#include "core/ids.hpp"

namespace qylon::api {
namespace {

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

/// `claims` with one member more. Of two with one name the last counts, in PostgreSQL too.
std::string with_active_org(std::string claims, const std::string& org) {
  const std::size_t end = claims.rfind('}');
  QYLON_CHECK(end != std::string::npos && end > 1);
  return claims.replace(end, 1, R"(,"active_org":")" + org + "\"}");
}

}  // namespace

Result<Principal> identify(const Access& access, const HttpRequest& request) {
  const bool shows_header = !request.authorization.empty() || !request.header("apikey").empty();
  const std::string_view token =
      shows_header ? bearer_token(request.authorization) : session_cookie(request.header("cookie"));
  auto caller = access.identify({.token = token, .api_key = request.header("apikey")});
  const std::string_view org = request.header("x-org-id");
  if (!caller || caller->role != "authenticated" || org.empty()) return caller;
  const auto id = Uuid::parse(org);
  if (!id) {
    return Error{ErrorCode::kInvalidArgument, "X-Org-Id must be the organisation's id, a UUID"};
  }
  caller->claims = with_active_org(std::move(caller->claims), id->to_string());
  return caller;
}

bool shows_nothing(const HttpRequest& request) noexcept {
  return request.authorization.empty() && request.header("apikey").empty();
}

Status permit(const Principal& caller, Permission permission) {
  const std::string& role = caller.role;
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

#include "api/core/permit.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include <nlohmann/json.hpp>

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

Status name_active_org(Principal& principal, std::string_view org) {
  if (org.empty()) return ok();
  const auto id = Uuid::parse(org);
  if (!id) {
    return Error{ErrorCode::kInvalidArgument, "X-Org-Id must be the organisation's id, a UUID"};
  }
  Json claims = Json::parse(principal.claims, nullptr, false);
  QYLON_CHECK(claims.is_object());
  claims["active_org"] = id->to_string();
  principal.claims = claims.dump();
  return ok();
}

/// API keys list what they are for; the claims of people hold no scopes.
bool key_has_scope(const Principal& principal, std::string_view scope) {
  if (principal.claims.find("\"scopes\"") == std::string::npos) return true;
  const Json claims = Json::parse(principal.claims, nullptr, false);
  const auto scopes = claims.find("scopes");
  if (scopes == claims.end()) return true;  // The word stood somewhere deeper.
  return scopes->is_array() && std::find(scopes->begin(), scopes->end(), scope) != scopes->end();
}

}  // namespace

Result<Principal> identify(const Access& access, const HttpRequest& request) {
  auto principal = access.identify({.token = bearer_token(request.authorization),
                                    .api_key = request.header("apikey"),
                                    .peer_is_loopback = request.peer_is_loopback});
  if (!principal) return principal;
  const Status named = name_active_org(*principal, request.header("x-org-id"));
  return named ? std::move(principal) : named.error();
}

Status permit(const Principal& principal, Permission permission) {
  if (permission <= Permission::kAnyone || principal.role == "service_role") return ok();
  if (principal.role == "anon") {
    return Error{ErrorCode::kUnauthenticated,
                 "log in first: send `Authorization: Bearer TOKEN` of a user or an API key"};
  }
  if (permission == Permission::kUser) return ok();
  if (permission == Permission::kService) {
    return Error{ErrorCode::kForbidden, "only the server's own token may do this"};
  }
  const std::string_view scope = permission_name(permission);
  if (key_has_scope(principal, scope)) return ok();
  return Error{ErrorCode::kForbidden,
               "this API key lacks the scope \"" + std::string(scope) + "\""};
}

}  // namespace qylon::api

#pragma once
/// Who asks: what a verified token, key or the server itself stands for.

#include <optional>
#include <string>
#include <vector>

namespace qylon {

/// The database sees a caller as PostgREST's does: a role, and the claims as JSON in the setting
/// `request.jwt.claims`, which row-level security reads through auth.uid() and app.org().
struct Principal {
  std::string role = "anon";  ///< "anon", "authenticated" or "service_role".
  std::string user;           ///< UUID of the user, or empty.
  std::string claims = "{}";  ///< The claims, a JSON object; verified, never logged.
  std::string org = {};       ///< The organisation that the token is of, or empty.
  std::optional<std::vector<std::string>> scopes = {};  ///< Of an API key: what it may be used for.

  /// The server's own work: sees every tenant.
  static Principal service() {
    return {.role = "service_role", .user = {}, .claims = R"({"role":"service_role"})"};
  }
};

}  // namespace qylon

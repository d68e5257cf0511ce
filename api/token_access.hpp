#pragma once
/// The bearer token of a data directory: who holds it may use the server.

#include <string>

#include "core/access.hpp"
#include "core/result.hpp"

namespace qylon::api {

/// The secret "qyl_..." in `data_dir`/token; see identity/secret_file.hpp.
Result<std::string> load_or_create_token(const std::string& data_dir);

/// Threads: safe from any thread; holds nothing that changes.
class TokenAccess final : public Access {
 public:
  /// REQUIRES: `token` is not empty.
  explicit TokenAccess(const std::string& token);

  /// The server itself (Principal::service()) for who holds the token, and nobody for who does not,
  /// wherever they come from: on this machine, too, programs of many users and every web page that
  /// is open can connect.
  Result<Principal> identify(const Credentials& credentials) const override;

 private:
  const std::string token_digest_;  // SHA-256. Constant after construction.
};

}  // namespace qylon::api

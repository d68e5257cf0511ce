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
  struct Options {
    bool require_token = false;  ///< Loopback needs the token too.
  };

  /// REQUIRES: `token` is not empty.
  TokenAccess(const std::string& token, const Options& options);

  /// The server itself (Principal::service()) for who holds the token, and on loopback, unless told
  /// otherwise, for who shows none. A token, when one is given, must be right even there, so that a
  /// wrong one is noticed where it is typed and not after the server moved.
  Result<Principal> identify(const Credentials& credentials) const override;

 private:
  const std::string token_digest_;  // SHA-256. Constant after construction.
  const Options options_;
};

}  // namespace qylon::api

#include "api/token_access.hpp"

#include "api/identity/digest.hpp"
#include "api/identity/secret_file.hpp"
#include "core/check.hpp"

namespace qylon::api {

Result<std::string> load_or_create_token(const std::string& data_dir) {
  return load_or_create_secret(data_dir, {.name = "token", .prefix = "qyl_"});
}

TokenAccess::TokenAccess(const std::string& token) : token_digest_(sha256(token)) {
  QYLON_CHECK(!token.empty());
}

Result<Principal> TokenAccess::identify(const Credentials& credentials) const {
  if (credentials.token.empty()) {
    return Error{
        ErrorCode::kUnauthenticated,
        "this server wants a token: print it with `qylon token --data-dir DIR` and send it "
        "as `Authorization: Bearer TOKEN`, or in the first message's `token`"};
  }
  // Digests of one length are compared, so that the time tells neither length nor prefix.
  const std::string given = sha256(credentials.token);
  if (same_secret(given, token_digest_)) return Principal::service();
  return Error{ErrorCode::kUnauthenticated,
               "the token is not this server's: print it with `qylon token --data-dir DIR`"};
}

}  // namespace qylon::api

#pragma once
/// Links and codes that prove who reads a mailbox.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/identity/moment.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

/// What the mail carries.
struct OneTime {
  std::string token;  ///< For the link: 43 characters.
  std::string code;   ///< For who types it: six digits.
};

/// What was proved.
struct Redeemed {
  std::string user;
  std::string purpose;  ///< "signup", "invite", "magiclink", "recovery", "email_change", "pkce".
  std::string code_challenge;  ///< RFC 7636 (S256) of the client that asked; or empty.
};

/// Tokens are kept as digests; codes, which have few values, under a secret of the server.
///
/// Threads : const, inside a transaction.
class OneTimeTokens {
 public:
  explicit OneTimeTokens(std::string secret) : secret_(std::move(secret)) {}

  struct Wanted {
    std::string user;
    std::string purpose;
    std::string email;  ///< Where the mail goes; the code works with it only.
    std::string code_challenge = {};
    std::int64_t lives_s = 3600;
  };
  /// Replaces what the user had for the purpose.
  OneTime make(storage::Sql& sql, const Wanted& wanted, const Moment& now) const;
  /// Uses it up. Nothing when it is unknown, expired, or for none of `purposes`.
  std::optional<Redeemed> redeem_token(storage::Sql& sql,
                                       std::string_view token,
                                       const std::vector<std::string>& purposes,
                                       const Moment& now) const;
  std::optional<Redeemed> redeem_code(storage::Sql& sql,
                                      std::string_view email,
                                      std::string_view code,
                                      const std::vector<std::string>& purposes,
                                      const Moment& now) const;
  static void sweep(storage::Sql& sql, const Moment& now);

 private:
  std::string code_digest(std::string_view email, std::string_view code) const;

  const std::string secret_;  // Constant after construction.
};

}  // namespace qylon::api

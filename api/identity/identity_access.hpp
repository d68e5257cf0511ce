#pragma once

#include <atomic>
#include <cstdint>

#include "api/identity/foreign_keys.hpp"
#include "api/identity/identity.hpp"
#include "api/identity/token_cache.hpp"
#include "api/token_access.hpp"
#include "core/access.hpp"

namespace qylon::api {

/// Who shows a user's access token, an API key ("qyk_"), the data directory's token ("qyl_"), or
/// the publishable key. A bearer token wins over the header `apikey`; nobody at all is as
/// TokenAccess has it.
///
/// Cost    : a token that was seen before 1 us (SHA-256 and a look-up), a new one a signature.
/// Threads : from any thread; never blocks.
class IdentityAccess final : public Access {
 public:
  /// All must outlive the access.
  struct Parts {
    const TokenAccess& token;
    Identity& identity;
    const Clock& clock;
    ForeignKeys* foreign_keys = nullptr;
  };
  explicit IdentityAccess(const Parts& parts) : parts_(parts) {}

  /// The publishable key, and a project's key with role anon, stand for "anon".
  Result<Principal> identify(const Credentials& credentials) const override;

 private:
  Result<Principal> identify_token(std::string_view token) const;

  const Parts parts_;  // Constant after construction.
  mutable TokenCache cache_;
  mutable std::atomic<std::uint64_t> keys_version_{0};
};

}  // namespace qylon::api

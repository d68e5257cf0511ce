#pragma once
/// Secrets that an organisation trusts the server with: passwords, tokens and keys of others.

#include <cstdint>
#include <string>
#include <string_view>

#include "api/core/master_keys.hpp"
#include "core/result.hpp"
#include "core/seal.hpp"
#include "storage/database.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

struct SecretName {
  std::string org;   ///< UUID, or empty: the server's own.
  std::string name;  ///< "smtp/password": lower case, digits and _.:/-, at most 200.
};
/// Who reads a secret, and what for: what the audit log keeps of it.
struct SecretReader {
  std::string actor;  ///< UUID of the user, or empty: the server.
  std::string purpose;
};

/// AES-256-GCM under a data key of each organisation. A sealed secret opens only as the version,
/// the name and the organisation that it was stored as.
///
/// Cost    : some microseconds beside the statements.
/// Threads : const methods, inside the bodies of transactions as the server itself.
class Vault {
 public:
  static constexpr std::size_t kSecretBytesMax = 65'536;

  explicit Vault(MasterKeys masters) : masters_(std::move(masters)) {}

  /// Errors: kInvalidArgument naming a master key that rows need and that is missing here, before
  /// anything could be sealed that the other rows' owner cannot open.
  Status check(storage::Sql& sql) const;

  /// Stores or replaces; audited as `secret.written`. Errors: kInvalidArgument for a name or a size
  /// that is not allowed, those of check().
  Status put(storage::Sql& sql, const SecretName& name, std::string_view secret) const;
  /// The secret, after its reading is committed to the audit log as `secret.read`: a transaction of
  /// its own. Errors: kNotFound; kInternal for a row that was changed or moved; those of
  /// Session::transact.
  Result<std::string> read(storage::Session& session,
                           const SecretName& name,
                           const SecretReader& reader) const;
  /// Audited as `secret.removed`. False when there is none.
  bool remove(storage::Sql& sql, const SecretName& name) const;

  /// Wraps every data key with the active master key; the secrets stay as they are. Returns how
  /// many were wrapped anew. Errors: kInvalidArgument for a missing master key.
  Result<std::size_t> rewrap(storage::Sql& sql) const;

 private:
  Result<SealKey> data_key(storage::Sql& sql, const std::string& org) const;
  Result<SealKey> unwrap(const std::string& org,
                         const std::string& master,
                         const std::string& wrapped_hex) const;

  MasterKeys masters_;
};

}  // namespace qylon::api

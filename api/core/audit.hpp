#pragma once
/// The audit log: who did what, in one chain of hashes for each organisation.

#include <cstdint>
#include <string>
#include <vector>

#include "api/core/event_subscriptions.hpp"
#include "api/core/master_keys.hpp"
#include "api/identity/jwt_key.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

struct AuditEntry {
  std::string org;            ///< UUID, or empty: the server's own chain.
  std::string action;         ///< "secret.read".
  std::string subject;        ///< What it was done to, e.g. "secret:smtp".
  std::string detail = "{}";  ///< A JSON object; never a secret.
  std::string actor{};        ///< UUID; the server names it, others are themselves.
};
/// Appends in the caller's transaction; chains of one organisation wait for each other.
void audit(storage::Sql& sql, const AuditEntry& entry);

/// Every event becomes an entry: its type, stream, actor, id and the SHA-256 of its data.
Subscription audit_of_events();

/// Signs the ends of the chains, and finds what was changed since.
///
/// A checkpoint is the line `qylon-audit-1 ORG SEQ HASH UNIX_TIME KEY SIGNATURE` (ES256 over what
/// is before the last space). It is kept in the database and, synced, in `dir`/audit-checkpoints:
/// who cuts off a chain's end in the database cannot take it out of the file.
///
/// Threads : checkpoint() by one at a time; verify() by any.
class AuditTrail {
 public:
  /// The signing key is `dir`/audit-key, sealed by the active one of `masters`; made on first use,
  /// sealed anew when another one was active.
  /// Errors: kInvalidArgument for a key that `masters` do not open; kUnavailable for a directory
  ///         that cannot be written.
  static Result<AuditTrail> open(const std::string& dir, const MasterKeys& masters);

  /// Signs the chains that have grown since their last checkpoint. Errors: kUnavailable when the
  /// file cannot be written.
  Status checkpoint(storage::Sql& sql, std::int64_t unix_s) const;

  struct Report {
    std::size_t rows = 0;
    std::size_t chains = 0;
    std::size_t checkpoints = 0;
    std::vector<std::string> problems;  ///< One sentence each, at most 100; empty: nothing found.
  };
  /// Looks at every row and every checkpoint.
  Result<Report> verify(storage::Sql& sql) const;

 private:
  AuditTrail(std::string dir, SigningKey key) : dir_(std::move(dir)), key_(std::move(key)) {}
  std::string file_path() const { return dir_ + "/audit-checkpoints"; }
  void check_line(storage::Sql& sql, const std::string& line, Report& report) const;

  std::string dir_;
  SigningKey key_;
};

}  // namespace qylon::api

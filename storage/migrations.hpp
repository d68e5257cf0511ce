#pragma once
/// Brings a database to the schema that this binary expects.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/log.hpp"
#include "core/result.hpp"

namespace qylon::storage {

/// One numbered SQL file of storage/migrations, as embedded by the build.
struct Migration {
  int number;
  std::string_view name;    ///< "0001_meetings".
  std::string_view sha256;  ///< Of the file, lower-case hex.
  std::string_view sql;
};

/// In order of number, which starts at 1 and has no hole.
std::span<const Migration> embedded_migrations();

struct MigrationReport {
  std::size_t applied = 0;  ///< Now; 0 when the schema was up to date.
  std::size_t total = 0;
};

/// Applies what table schema_migrations does not list yet, each file in its own transaction, under
/// an advisory lock, so that servers which start together do not collide, and with a lock_timeout
/// of 1 s, so that a busy table delays the start instead of the users.
/// A database that is newer than this binary is taken as it is: migrations only add, so that the
/// version before can still run. Blocks for as long as the statements take.
/// The roles that requests work as (anon, authenticated, service_role) belong to the cluster, not
/// to the database; they are made first, when they are missing.
/// Errors: kInvalidArgument when they are missing and this one may not make them, with the
///         statements for somebody who may; kConflict when a file that was applied has changed
///         since; kUnavailable when the server is away or stays locked.
Result<MigrationReport> migrate(const std::string& url, const Log& log);
/// As above with the given list, for tests of the rules themselves.
Result<MigrationReport> migrate(const std::string& url,
                                std::span<const Migration> migrations,
                                const Log& log);

}  // namespace qylon::storage

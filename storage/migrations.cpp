#include "storage/migrations.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <utility>

#include <pqxx/pqxx>

#include "core/sync.hpp"
#include "storage/pg_connection.hpp"

namespace qylon::storage {
namespace {

// Any constant that no other program is likely to choose: "qylonmig" in ASCII.
constexpr std::int64_t kAdvisoryLock = 0x71796c6f6e6d6967;
constexpr int kLockAttemptsMax = 5;  // Of 1 s each, on a table that is in use.

using Applied = std::map<int, std::string>;  // Number to SHA-256.

Status take_advisory_lock(PgConnection& connection) {
  // Another server that migrates now needs seconds at most; waiting for its lock is bounded apart.
  return connection.run_alone([](pqxx::transaction_base& transaction) {
    transaction.exec0("set lock_timeout = '60s'");
    transaction.exec_params("select pg_advisory_lock($1)", kAdvisoryLock);
    transaction.exec0("set lock_timeout = '1s'");
    return ok();
  });
}

Status create_table(PgConnection& connection) {
  return connection.transact([](pqxx::transaction_base& transaction) {
    transaction.exec0(
        "create table if not exists schema_migrations ("
        " number integer primary key, name text not null, sha256 text not null,"
        " applied_at timestamptz not null default now())");
    return ok();
  });
}

Result<Applied> load_applied(PgConnection& connection) {
  Applied applied;
  const Status status = connection.transact([&](pqxx::transaction_base& transaction) {
    for (const auto& row : transaction.exec("select number, sha256 from schema_migrations"))
      applied.emplace(row[0].as<int>(), row[1].as<std::string>());
    return ok();
  });
  if (!status) return status.error();
  return applied;
}

Status check_unchanged(std::span<const Migration> migrations, const Applied& applied) {
  for (const Migration& migration : migrations) {
    const auto found = applied.find(migration.number);
    if (found == applied.end() || found->second == migration.sha256) continue;
    return Error{ErrorCode::kConflict,
                 "migration " + std::string(migration.name) +
                     " was changed after it was applied; write a new one instead"};
  }
  return ok();
}

Status apply_once(PgConnection& connection, const Migration& migration) {
  return connection.transact([&migration](pqxx::transaction_base& transaction) {
    transaction.exec(std::string(migration.sql));
    transaction.exec_params0(
        "insert into schema_migrations (number, name, sha256) values ($1, $2, $3)",
        migration.number,
        std::string(migration.name),
        std::string(migration.sha256));
    return ok();
  });
}

Status apply(PgConnection& connection, const Migration& migration) {
  Status status = ok();
  for (int attempt = 0; attempt < kLockAttemptsMax; ++attempt) {
    status = apply_once(connection, migration);
    if (status || status.error().code != ErrorCode::kUnavailable) break;
  }
  if (status) return status;
  return Error{status.error().code,
               "migration " + std::string(migration.name) + ": " + status.error().message};
}

/// Roles are the cluster's, not the database's: they may exist already, made for another one.
/// A login inherits nothing: a transaction that took on no role may do
/// nothing.
constexpr std::string_view kEnsureRoles = R"(do $$
declare wanted text;
begin
  foreach wanted in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_roles where rolname = wanted) then
      execute format('create role %I nologin noinherit', wanted);
    end if;
    if not pg_has_role(wanted, 'member') then
      execute format('grant %I to %I', wanted, current_user);
    end if;
  end loop;
  if not exists (select from pg_roles where rolname = 'qylon_app') then
    create role qylon_app login noinherit;
  end if;
  if not pg_has_role('qylon_app', 'service_role', 'member') then
    grant anon, authenticated, service_role to qylon_app;
  end if;
  if (select rolinherit from pg_roles where rolname = 'qylon_app') then
    alter role qylon_app noinherit;
  end if;
end $$)";

Status ensure_roles(PgConnection& connection) {
  const Status made = connection.transact([](pqxx::transaction_base& transaction) {
    transaction.exec0(std::string(kEnsureRoles));
    return ok();
  });
  if (made || made.error().code != ErrorCode::kForbidden) return made;
  return Error{ErrorCode::kInvalidArgument,
               "the database's user may not create the roles that requests work as; let an "
               "administrator run once: create role anon; create role authenticated; create role "
               "service_role; create role qylon_app login noinherit; grant anon, authenticated, "
               "service_role to qylon_app; grant anon, authenticated, service_role to the user of "
               "database-url"};
}

}  // namespace

Result<MigrationReport> migrate(const std::string& url, const Log& log) {
  return migrate(url, embedded_migrations(), log);
}

Result<MigrationReport> migrate(const std::string& url,
                                std::span<const Migration> migrations,
                                const Log& log) {
  PgConnection::Settings settings;
  settings.url = url;
  settings.lock_timeout_ms = 1000;
  auto connected = PgConnection::connect(settings, log);
  if (!connected) return connected.error();
  PgConnection& connection = **connected;

  if (const Status locked = take_advisory_lock(connection); !locked) return locked.error();
  MigrationReport report;
  report.total = migrations.size();
  if (const Status roles = ensure_roles(connection); !roles) return roles.error();
  if (const Status created = create_table(connection); !created) return created.error();
  const auto applied = load_applied(connection);
  if (!applied) return applied.error();
  if (const Status same = check_unchanged(migrations, *applied); !same) return same.error();
  if (!applied->empty() && applied->rbegin()->first > static_cast<int>(migrations.size()))
    log.warn("pg_schema_is_newer", {{"number", std::to_string(applied->rbegin()->first)}});
  for (const Migration& migration : migrations) {
    if (applied->contains(migration.number)) continue;
    if (const Status done = apply(connection, migration); !done) return done.error();
    log.info("pg_migrated", {{"name", std::string(migration.name)}});
    ++report.applied;
  }
  return report;
}

}  // namespace qylon::storage

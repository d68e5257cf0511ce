#include "api/core/vault.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/core/audit.hpp"
#include "api/identity/text_codes.hpp"
#include "core/check.hpp"

namespace qylon::api {
namespace {

using storage::Sql;
using storage::SqlValue;

constexpr const char* kNoOrg = "00000000-0000-0000-0000-000000000000";

const std::string& chain_of(const std::string& org) {
  static const std::string none = kNoOrg;
  return org.empty() ? none : org;
}

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// No part but the last can hold the separator.
std::string secret_context(const std::string& org, std::int64_t version, const std::string& name) {
  return "qylon secret|" + org + "|" + std::to_string(version) + "|" + name;
}
std::string key_context(const std::string& org, const std::string& master) {
  return "qylon data key|" + org + "|" + master;
}

std::string seal_hex(const SealKey& key, const std::string& context, std::string_view secret) {
  std::vector<std::uint8_t> data(secret.begin(), secret.end());
  key.seal(bytes_of(context), data);
  return hex(text_of(data));
}
std::optional<std::string> open_hex(const SealKey& key,
                                    const std::string& context,
                                    const std::string& sealed) {
  const auto raw = parse_hex(sealed);
  if (!raw) return std::nullopt;
  std::vector<std::uint8_t> data(raw->begin(), raw->end());
  if (!key.open(bytes_of(context), data)) return std::nullopt;
  return std::string(text_of(data));
}

std::int64_t number(const SqlValue& value) {
  std::int64_t result = 0;
  if (value) std::from_chars(value->data(), value->data() + value->size(), result);
  return result;
}

bool valid_name(const std::string& name) {
  constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::string_view kAll = "abcdefghijklmnopqrstuvwxyz0123456789_.:/-";
  return !name.empty() && name.size() <= 200 && kFirst.find(name[0]) != std::string_view::npos &&
         name.find_first_not_of(kAll) == std::string::npos;
}

void note(Sql& sql, const SecretName& name, const char* action, const SecretReader& reader) {
  const std::string detail =
      sql.value("select jsonb_build_object('purpose', $1::text)", {reader.purpose}).value_or("{}");
  audit(sql,
        {.org = name.org,
         .action = action,
         .subject = "secret:" + name.name,
         .detail = detail,
         .actor = reader.actor});
}

Error missing(const std::string& master) {
  return {ErrorCode::kInvalidArgument,
          "the vault needs the master key " + master + ", which is not in its key file"};
}
Error damaged() {
  return {ErrorCode::kInternal, "a row of the vault was changed: it does not open"};
}

}  // namespace

Status Vault::check(Sql& sql) const {
  for (const auto& row : sql.rows("select distinct master from vault_keys limit 100")) {
    if (masters_.find(row[0].value_or("")) == nullptr) return missing(row[0].value_or(""));
  }
  return ok();
}

Result<SealKey> Vault::unwrap(const std::string& org,
                              const std::string& master,
                              const std::string& wrapped_hex) const {
  const SealKey* const key = masters_.find(master);
  if (key == nullptr) return missing(master);
  const auto bytes = open_hex(*key, key_context(org, master), wrapped_hex);
  if (!bytes || bytes->size() != SealKey::kBytes) return damaged();
  return SealKey(bytes_of(*bytes).first<SealKey::kBytes>());
}

/// Makes it when the organisation has none yet.
Result<SealKey> Vault::data_key(Sql& sql, const std::string& org) const {
  const auto find = [&] {
    return sql.rows("select master, encode(wrapped, 'hex') from vault_keys where org_id = $1::uuid",
                    {org});
  };
  auto rows = find();
  if (rows.empty()) {
    const SealKey made = SealKey::random();
    sql.run(
        "insert into vault_keys (org_id, master, wrapped) values ($1, $2, decode($3, 'hex'))"
        " on conflict do nothing",
        {org,
         masters_.active_id(),
         seal_hex(
             masters_.active(), key_context(org, masters_.active_id()), text_of(made.bytes()))});
    rows = find();
  }
  return unwrap(org, rows.at(0)[0].value_or(""), rows.at(0)[1].value_or(""));
}

Status Vault::put(Sql& sql, const SecretName& name, std::string_view secret) const {
  if (!valid_name(name.name)) {
    return Error{ErrorCode::kInvalidArgument,
                 "a secret's name is 1 to 200 of a-z, 0-9 and _.:/-, and begins with one of the "
                 "first two"};
  }
  if (secret.empty() || secret.size() > kSecretBytesMax)
    return Error{ErrorCode::kInvalidArgument, "a secret has 1 to 65536 bytes"};
  const std::string& org = chain_of(name.org);
  const auto key = data_key(sql, org);
  if (!key) return key.error();
  // The row's lock, also of one that is not there yet, keeps versions in order.
  sql.rows("select pg_advisory_xact_lock(hashtextextended($1, 86))", {org + name.name});
  const std::int64_t version =
      1 +
      number(sql.value("select version from vault_secrets where org_id = $1::uuid and name = $2",
                       {org, name.name}));
  sql.run(
      "insert into vault_secrets (org_id, name, version, sealed)"
      " values ($1, $2, $3, decode($4, 'hex')) on conflict (org_id, name) do update set"
      " version = excluded.version, sealed = excluded.sealed, updated_at = clock_timestamp()",
      {org,
       name.name,
       std::to_string(version),
       seal_hex(*key, secret_context(org, version, name.name), secret)});
  note(sql, name, "secret.written", {});
  return ok();
}

Result<std::string> Vault::read(storage::Session& session,
                                const SecretName& name,
                                const SecretReader& reader) const {
  std::string secret;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) -> Status {
    Sql sql(transaction);
    const std::string& org = chain_of(name.org);
    const auto rows = sql.rows(
        "select s.version, encode(s.sealed, 'hex'), k.master, encode(k.wrapped, 'hex')"
        " from vault_secrets s join vault_keys k using (org_id)"
        " where s.org_id = $1::uuid and s.name = $2",
        {org, name.name});
    if (rows.empty()) return Error{ErrorCode::kNotFound, "the vault has no secret of this name"};
    const auto& row = rows[0];
    const auto key = unwrap(org, row[2].value_or(""), row[3].value_or(""));
    if (!key) return key.error();
    auto opened =
        open_hex(*key, secret_context(org, number(row[0]), name.name), row[1].value_or(""));
    if (!opened) return damaged();
    secret = *std::move(opened);
    note(sql, name, "secret.read", reader);
    return ok();
  });
  if (!status) return status.error();
  return secret;
}

bool Vault::remove(Sql& sql, const SecretName& name) const {
  const bool removed = sql.run("delete from vault_secrets where org_id = $1::uuid and name = $2",
                               {chain_of(name.org), name.name}) == 1;
  if (removed) note(sql, name, "secret.removed", {});
  return removed;
}

Result<std::size_t> Vault::rewrap(Sql& sql) const {
  const auto rows = sql.rows(
      "select org_id, master, encode(wrapped, 'hex') from vault_keys where master <> $1"
      " order by org_id for update",
      {masters_.active_id()});
  for (const auto& row : rows) {
    const std::string org = row[0].value_or("");
    const auto key = unwrap(org, row[1].value_or(""), row[2].value_or(""));
    if (!key) return key.error();
    sql.run(
        "update vault_keys set master = $2, wrapped = decode($3, 'hex'),"
        " updated_at = clock_timestamp() where org_id = $1::uuid",
        {org,
         masters_.active_id(),
         seal_hex(
             masters_.active(), key_context(org, masters_.active_id()), text_of(key->bytes()))});
  }
  return rows.size();
}

}  // namespace qylon::api

#include "api/identity/api_keys.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"

namespace qylon::api {
namespace {

constexpr std::size_t kShownChars = 10;

constexpr std::string_view kColumns =
    R"(jsonb_build_object('id', id, 'name', name, 'prefix', prefix, 'org_id', org_id,
                          'scopes', scopes, 'expires_at', expires_at, 'revoked_at', revoked_at,
                          'created_at', created_at))";

/// What stands between single spaces.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string array_of(const std::vector<std::string>& words) {
  std::string text = "{";
  for (const std::string& word : words)
    text += (text.size() > 1 ? "," : "") + word;
  return text + "}";
}

}  // namespace

ApiKeys::Made ApiKeys::make(storage::Sql& sql, const Wanted& wanted, const Moment& now) {
  const std::string key = std::string(kApiKeyPrefix) + random_token();
  const auto json = sql.value(
      R"(insert into api_keys (user_id, org_id, name, prefix, key_hash, scopes, expires_at)
         values ($1::uuid, nullif($2, '')::uuid, $3, $4, decode($5, 'hex'), $6::text[],
                 to_timestamp($7::float8 + $8::float8))
         returning )" +
          std::string(kColumns) + "::text",
      {wanted.user,
       wanted.org,
       wanted.name,
       key.substr(0, kShownChars),
       hex(sha256(key)),
       array_of(wanted.scopes),
       now.sql(),
       wanted.expires_in_s ? storage::SqlValue(std::to_string(*wanted.expires_in_s))
                           : std::nullopt});
  return {key, *json};
}

std::string ApiKeys::list(storage::Sql& sql, const std::string& user) {
  return *sql.value("select coalesce(jsonb_agg(" + std::string(kColumns) +
                        " order by created_at desc), '[]')::text from api_keys "
                        "where user_id = $1::uuid",
                    {user});
}

bool ApiKeys::revoke(storage::Sql& sql,
                     const std::string& user,
                     const std::string& id,
                     const Moment& now) {
  return sql.run(
             R"(update api_keys set revoked_at = to_timestamp($3::float8)
                 where id = $2::uuid and user_id = $1::uuid and revoked_at is null)",
             {user, id, now.sql()}) == 1;
}

void ApiKeys::load(storage::Sql& sql, const Moment& now) {
  const auto rows = sql.rows(
      R"(select encode(k.key_hash, 'hex'), u.id,
                jsonb_build_object(
                  'sub', u.id, 'aud', 'authenticated', 'role', 'authenticated', 'email', u.email,
                  'app_metadata', u.app_metadata || jsonb_strip_nulls(
                                    jsonb_build_object('org_id', k.org_id)),
                  'user_metadata', u.user_metadata, 'aal', 'aal1', 'is_anonymous', false,
                  'key_id', k.id, 'scopes', k.scopes)::text,
                floor(extract(epoch from k.expires_at))::bigint,
                coalesce(k.org_id::text, u.app_metadata ->> 'org_id', ''),
                array_to_string(k.scopes, ' ')
           from api_keys k join users u on u.id = k.user_id
          where k.revoked_at is null
            and (k.expires_at is null or k.expires_at > to_timestamp($1::float8))
            and (u.banned_until is null or u.banned_until <= to_timestamp($1::float8))
          limit $2::bigint)",
      {now.sql(), std::to_string(kApiKeysMax)});
  auto table = std::make_shared<Table>();
  for (const auto& row : rows) {
    std::int64_t expires_s = std::numeric_limits<std::int64_t>::max();
    if (row[3]) std::from_chars(row[3]->data(), row[3]->data() + row[3]->size(), expires_s);
    table->emplace(*row[0],
                   Entry{{.role = "authenticated",
                          .user = *row[1],
                          .claims = *row[2],
                          .org = *row[4],
                          .scopes = words_of(*row[5])},
                         expires_s});
  }
  const MutexLock lock(mutex_);
  table_ = std::move(table);
}

std::optional<Principal> ApiKeys::find(std::string_view key, const Moment& now) const {
  std::shared_ptr<const Table> table;
  {
    const MutexLock lock(mutex_);
    table = table_;
  }
  const auto found = table->find(hex(sha256(key)));
  if (found == table->end() || found->second.expires_s <= now.seconds()) return std::nullopt;
  return found->second.principal;
}

}  // namespace qylon::api

#include "api/identity/users.hpp"

#include <algorithm>

namespace qylon::api {
namespace {

constexpr std::string_view kColumns =
    R"(select id, email, coalesce(password_hash, ''), email_confirmed_at is not null,
              coalesce(banned_until > to_timestamp($2::float8), false),
              exists (select from mfa_factors f
                       where f.user_id = u.id and f.factor_type = 'totp' and f.status = 'verified')
         from users u where )";

std::optional<Account> find(storage::Sql& sql,
                            std::string_view condition,
                            const std::string& value,
                            const Moment& now) {
  const auto rows = sql.rows(std::string(kColumns) + std::string(condition), {value, now.sql()});
  if (rows.empty()) return std::nullopt;
  const auto& row = rows[0];
  return Account{.id = *row[0],
                 .email = *row[1],
                 .password_hash = *row[2],
                 .confirmed = row[3] == "t",
                 .banned = row[4] == "t",
                 .has_second_factor = row[5] == "t"};
}

}  // namespace

Result<std::string> parse_email(std::string_view typed) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t from = std::min(typed.find_first_not_of(kBlanks), typed.size());
  typed.remove_prefix(from);
  while (!typed.empty() && kBlanks.find(typed.back()) != kBlanks.npos)
    typed.remove_suffix(1);
  const std::size_t at = typed.find('@');
  const bool printable =
      std::all_of(typed.begin(), typed.end(), [](char c) { return c > ' ' && c != '\x7f'; });
  if (typed.size() > 320 || at == 0 || at == typed.npos || at + 1 == typed.size() ||
      typed.find('@', at + 1) != typed.npos || !printable ||
      typed.find_first_of("<>,;:\"()[]\\") != typed.npos) {
    return Error{ErrorCode::kInvalidArgument,
                 "an e-mail address looks like name@example.org, in ASCII"};
  }
  std::string email(typed);
  for (char& c : email) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return email;
}

std::optional<Account> find_by_email(storage::Sql& sql,
                                     const std::string& email,
                                     const Moment& now) {
  return find(sql, "email = $1", email, now);
}

std::optional<Account> find_by_id(storage::Sql& sql, const std::string& id, const Moment& now) {
  return find(sql, "id = $1::uuid", id, now);
}

std::string insert_user(storage::Sql& sql, const NewUser& user, const Moment& now) {
  return *sql.value(
      R"(insert into users (email, password_hash, user_metadata, app_metadata, email_confirmed_at)
         values ($1, nullif($2, ''), $3::jsonb,
                 '{"provider": "email", "providers": ["email"]}' || $4::jsonb,
                 case when $5::boolean then to_timestamp($6::float8) end)
         returning id)",
      {user.email,
       user.password_hash,
       user.user_metadata,
       user.app_metadata,
       user.confirmed ? "true" : "false",
       now.sql()});
}

void change_user(storage::Sql& sql,
                 const std::string& id,
                 const UserChange& change,
                 const Moment& now) {
  const auto flag = [](const std::optional<bool>& value) -> storage::SqlValue {
    if (!value) return std::nullopt;
    return *value ? "true" : "false";
  };
  sql.run(
      R"(update users set
           email = coalesce($2, email),
           new_email = case when $2::text is null then coalesce($3, new_email) end,
           password_hash = coalesce($4, password_hash),
           user_metadata = user_metadata || coalesce($5::jsonb, '{}'),
           app_metadata = app_metadata || coalesce($6::jsonb, '{}'),
           email_confirmed_at = case when $7::boolean
                                     then coalesce(email_confirmed_at, to_timestamp($9::float8))
                                     else email_confirmed_at end,
           banned_until = case when $8::float8 is null then banned_until
                               when $8::float8 > 0 then to_timestamp($9::float8 + $8::float8) end
         where id = $1::uuid)",
      {id,
       change.email,
       change.new_email,
       change.password_hash,
       change.user_metadata,
       change.app_metadata,
       flag(change.confirmed),
       change.banned_s,
       now.sql()});
}

std::optional<std::string> user_json(storage::Sql& sql, const std::string& id) {
  return sql.value("select app.user_json(u)::text from users u where id = $1::uuid", {id});
}

}  // namespace qylon::api

#include "api/identity/owner.hpp"

#include "api/identity/users.hpp"

namespace qylon::api {
namespace {

void make_owner(storage::Sql& sql, const Moment& now) {
  const std::string org = *sql.value("select app.default_org()");
  const std::string user =
      insert_user(sql, {.email = kOwnerEmail, .app_metadata = R"({"org_id":")" + org + "\"}"}, now);
  sql.run("insert into org_members (org_id, user_id, role) values ($1::uuid, $2::uuid, 'owner')",
          {org, user});
}

}  // namespace

bool make_first_user(storage::Sql& sql, const Moment& now) {
  // Servers that start together make one owner.
  sql.rows("select pg_advisory_xact_lock(hashtextextended('owner', 0))");
  if (!sql.value("select 1 from users limit 1")) make_owner(sql, now);
  return !sql.value("select 1 from users where last_sign_in_at is not null limit 1");
}

std::optional<std::string> invite_owner(storage::Sql& sql,
                                        const OneTimeTokens& tokens,
                                        const Moment& now) {
  const auto rows = sql.rows(
      R"(select user_id from org_members where org_id = app.default_org() and role = 'owner'
          order by created_at, id)");
  for (const storage::SqlRow& row : rows) {
    const auto owner = find_by_id(sql, row[0].value(), now);
    if (!owner || owner->banned) continue;
    return tokens.make(sql, {.user = owner->id, .purpose = "magiclink", .email = owner->email}, now)
        .token;
  }
  return std::nullopt;
}

}  // namespace qylon::api

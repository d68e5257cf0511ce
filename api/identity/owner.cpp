#include "api/identity/owner.hpp"

#include "api/identity/users.hpp"

namespace qylon::api {
namespace {

std::string make_owner(storage::Sql& sql, const Moment& now) {
  const std::string org = *sql.value("select app.default_org()");
  const std::string user =
      insert_user(sql, {.email = kOwnerEmail, .app_metadata = R"({"org_id":")" + org + "\"}"}, now);
  sql.run("insert into org_members (org_id, user_id, role) values ($1::uuid, $2::uuid, 'owner')",
          {org, user});
  return user;
}

}  // namespace

std::optional<std::string> invite_owner(storage::Sql& sql,
                                        const OneTimeTokens& tokens,
                                        const Moment& now) {
  // Servers that start together make one owner.
  sql.rows("select pg_advisory_xact_lock(hashtextextended('owner', 0))");
  if (sql.value("select 1 from users where last_sign_in_at is not null limit 1")) {
    return std::nullopt;
  }
  const auto there = find_by_email(sql, kOwnerEmail, now);
  if (!there && sql.value("select 1 from users limit 1")) return std::nullopt;
  const std::string user = there ? there->id : make_owner(sql, now);
  return tokens
      .make(sql, {.user = user, .purpose = "invite", .email = kOwnerEmail, .lives_s = 86'400}, now)
      .token;
}

}  // namespace qylon::api

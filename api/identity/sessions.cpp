#include "api/identity/sessions.hpp"

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"

namespace qylon::api {
namespace {

constexpr std::size_t kUserAgentBytesMax = 200;
constexpr std::size_t kRefreshTokenBytesMax = 200;

constexpr std::string_view kOpen =
    R"(with seen as (update users set last_sign_in_at = to_timestamp($5::float8)
                      where id = $1::uuid)
       insert into sessions (user_id, amr, user_agent, address, created_at, refreshed_at)
       values ($1::uuid,
               jsonb_build_array(jsonb_build_object('method', $2::text,
                                                    'timestamp', floor($5::float8)::bigint)),
               $3, $4, to_timestamp($5::float8), to_timestamp($5::float8))
       returning id)";
constexpr std::string_view kInsertToken =
    R"(insert into refresh_tokens (token_hash, session_id, parent_hash, created_at)
       values (decode($1, 'hex'), $2::uuid, decode($3, 'hex'), to_timestamp($4::float8))
       on conflict do nothing)";
constexpr std::string_view kFindToken =
    R"(select t.session_id, t.used_at is null,
              t.used_at > to_timestamp($2::float8 - $3::float8),
              s.revoked_at is not null
                or t.created_at <= to_timestamp($2::float8 - $4::float8)
                or coalesce(u.banned_until > to_timestamp($2::float8), false),
              u.id
         from refresh_tokens t join sessions s on s.id = t.session_id
         join users u on u.id = s.user_id
        where t.token_hash = decode($1, 'hex') for update of t)";
constexpr std::string_view kUseToken =
    R"(with used as (update refresh_tokens set used_at = to_timestamp($3::float8)
                      where token_hash = decode($1, 'hex'))
       update sessions set refreshed_at = to_timestamp($3::float8) where id = $2::uuid)";
constexpr std::string_view kRaise =
    R"(update sessions
          set aal = 'aal2', refreshed_at = to_timestamp($3::float8),
              amr = jsonb_build_array(jsonb_build_object('method', $2::text, 'timestamp',
                                                         floor($3::float8)::bigint))
                    || jsonb_path_query_array(amr, '$[*] ? (@.method != $m)',
                                              jsonb_build_object('m', $2::text))
        where id = $1::uuid)";
constexpr std::string_view kDescribe =
    R"(select (app.session_claims(s) || jsonb_build_object(
                 'iss', $2::text, 'iat', $3::bigint, 'exp', $4::bigint))::text,
              app.user_json(u)::text
         from sessions s join users u on u.id = s.user_id where s.id = $1::uuid)";

std::string digest_of(std::string_view refresh_token) {
  return hex(sha256(refresh_token));
}

}  // namespace

std::string Sessions::child_of(std::string_view refresh_token) const {
  return base64url(hmac_sha256(refresh_secret_, refresh_token));
}

std::string Sessions::hand_out(storage::Sql& sql,
                               const std::string& session,
                               const std::string& refresh_token,
                               const Moment& now) const {
  const std::string expires = std::to_string(now.seconds() + options_.token_s);
  const auto described =
      sql.rows(kDescribe, {session, keys_.issuer(), std::to_string(now.seconds()), expires});
  return R"({"access_token":")" + keys_.sign(*described[0][0]) +
         R"(","token_type":"bearer","expires_in":)" + std::to_string(options_.token_s) +
         R"(,"expires_at":)" + expires + R"(,"refresh_token":")" + refresh_token + R"(","user":)" +
         *described[0][1] + "}";
}

std::string Sessions::open(storage::Sql& sql,
                           const std::string& user,
                           std::string_view method,
                           const Peer& peer,
                           const Moment& now) const {
  const std::string session = *sql.value(kOpen,
                                         {user,
                                          std::string(method),
                                          peer.user_agent.substr(0, kUserAgentBytesMax),
                                          peer.address,
                                          now.sql()});
  const std::string token = random_token();
  sql.run(kInsertToken, {digest_of(token), session, std::nullopt, now.sql()});
  return hand_out(sql, session, token, now);
}

Sessions::Refreshed Sessions::refresh(storage::Sql& sql,
                                      std::string_view refresh_token,
                                      const Moment& now) const {
  if (refresh_token.size() > kRefreshTokenBytesMax) return {{}, Refusal::kUnknown};
  const std::string digest = digest_of(refresh_token);
  const auto found = sql.rows(
      kFindToken,
      {digest, now.sql(), std::to_string(options_.reuse_s), std::to_string(options_.idle_s)});
  if (found.empty()) return {{}, Refusal::kUnknown};
  const auto& row = found[0];
  const std::string& session = *row[0];
  if (row[3] == "t") return {{}, Refusal::kEnded};
  const std::string child = child_of(refresh_token);
  if (row[1] == "t") {
    sql.run(kUseToken, {digest, session, now.sql()});
    sql.run(kInsertToken, {digest_of(child), session, digest, now.sql()});
  } else if (row[2] != "t") {
    end(sql, *row[4], session, Scope::kThis, now);
    return {{}, Refusal::kReused};
  }
  return {hand_out(sql, session, child, now), std::nullopt};
}

std::string Sessions::raise(storage::Sql& sql,
                            const std::string& session,
                            std::string_view method,
                            const Moment& now) const {
  sql.run(kRaise, {session, std::string(method), now.sql()});
  // Who had only the first factor cannot go on to what the second one opened.
  sql.run("delete from refresh_tokens where session_id = $1::uuid and used_at is null", {session});
  const std::string token = random_token();
  sql.run(kInsertToken, {digest_of(token), session, std::nullopt, now.sql()});
  return hand_out(sql, session, token, now);
}

std::size_t Sessions::end(storage::Sql& sql,
                          const std::string& user,
                          const std::string& session,
                          Scope scope,
                          const Moment& now) const {
  const auto ended = sql.rows(
      R"(update sessions set revoked_at = to_timestamp($4::float8)
          where user_id = $1::uuid and revoked_at is null
            and case $3 when 'this' then id = nullif($2, '')::uuid
                        when 'others' then id is distinct from nullif($2, '')::uuid
                        else true end
         returning id)",
      {user,
       session,
       scope == Scope::kThis ? "this" : (scope == Scope::kOthers ? "others" : "all"),
       now.sql()});
  std::vector<std::string> sessions;
  for (const auto& row : ended)
    sessions.push_back(*row[0]);
  revocations_.add(sessions);
  return sessions.size();
}

std::vector<std::string> Sessions::sweep(storage::Sql& sql, const Moment& now) const {
  sql.run(
      R"(delete from sessions
          where revoked_at < to_timestamp($1::float8 - 2 * $2::float8)
             or refreshed_at < to_timestamp($1::float8 - $3::float8))",
      {now.sql(), std::to_string(options_.token_s), std::to_string(options_.idle_s)});
  // Tokens that were used long ago only show that a thief comes late; a day of them is enough.
  sql.run("delete from refresh_tokens where used_at < to_timestamp($1::float8 - 86400)",
          {now.sql()});
  std::vector<std::string> sessions;
  for (const auto& row : sql.rows("select id from sessions where revoked_at is not null"))
    sessions.push_back(*row[0]);
  return sessions;
}

}  // namespace qylon::api

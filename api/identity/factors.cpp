#include "api/identity/factors.hpp"

#include <charconv>

#include "api/identity/digest.hpp"
#include "api/identity/sealed_text.hpp"
#include "api/identity/text_codes.hpp"
#include "api/identity/totp.hpp"

namespace qylon::api {
namespace {

std::string context_of(const std::string& factor) {
  return "mfa_factors:" + factor;
}

template <typename Number>
Number number(const std::string& text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::optional<Factors::Enrolled> Factors::enrol(storage::Sql& sql,
                                                const std::string& user,
                                                const std::string& name) const {
  // Who tried several times and never showed a code begins anew; one transaction a user at a time.
  sql.rows("select from users where id = $1::uuid for update", {user});
  sql.run(
      R"(delete from mfa_factors where user_id = $1::uuid and status = 'unverified'
            and friendly_name = $2)",
      {user, name});
  const auto count = sql.value("select count(*) from mfa_factors where user_id = $1::uuid", {user});
  if (number<int>(*count) >= kFactorsMax) return std::nullopt;
  Enrolled made{*sql.value("select gen_random_uuid()"), random_bytes(kTotpSecretBytes)};
  sql.run(
      R"(insert into mfa_factors (id, user_id, friendly_name, factor_type, secret)
         values ($1::uuid, $2::uuid, $3, 'totp', decode($4, 'hex')))",
      {made.id, user, name, seal_text(master_, context_of(made.id), made.secret)});
  return made;
}

std::optional<std::string> Factors::challenge(storage::Sql& sql,
                                              const std::string& user,
                                              const std::string& factor,
                                              const Moment& now) const {
  sql.run("delete from mfa_challenges where expires_at < to_timestamp($1::float8)", {now.sql()});
  return sql.value(
      R"(insert into mfa_challenges (factor_id, expires_at)
         select id, to_timestamp($3::float8 + $4::float8) from mfa_factors
          where id = $2::uuid and user_id = $1::uuid and factor_type = 'totp'
         returning id)",
      {user, factor, now.sql(), std::to_string(kChallengeS)});
}

Factors::Outcome Factors::verify(storage::Sql& sql,
                                 const std::string& user,
                                 const std::string& factor,
                                 const std::string& challenge,
                                 std::string_view code,
                                 const Moment& now) const {
  const auto found = sql.rows(
      R"(select encode(f.secret, 'hex'), f.last_step, c.expires_at > to_timestamp($4::float8)
           from mfa_factors f join mfa_challenges c on c.factor_id = f.id
          where f.id = $2::uuid and f.user_id = $1::uuid and c.id = $3::uuid
            and f.factor_type = 'totp' for update of f, c)",
      {user, factor, challenge, now.sql()});
  if (found.empty()) return Outcome::kUnknown;
  if (found[0][2] != "t") return Outcome::kExpired;
  const auto secret = open_sealed(master_, context_of(factor), *found[0][0]);
  if (!secret) return Outcome::kUnknown;  // Sealed with another identity key: it must be made anew.
  const auto step = totp_step(*secret, code, now.seconds(), number<std::uint64_t>(*found[0][1]));
  if (!step) return Outcome::kWrong;
  sql.run("update mfa_factors set last_step = $2::bigint, status = 'verified' where id = $1::uuid",
          {factor, std::to_string(*step)});
  sql.run("delete from mfa_challenges where id = $1::uuid", {challenge});
  return Outcome::kRight;
}

bool Factors::remove(storage::Sql& sql, const std::string& user, const std::string& factor) const {
  return sql.run(
             R"(delete from mfa_factors
                 where id = $2::uuid and user_id = $1::uuid and factor_type = 'totp')",
             {user, factor}) == 1;
}

std::optional<Factors::RecoveryState> Factors::recovery_state(storage::Sql& sql,
                                                              const std::string& user) const {
  const auto rows = sql.rows(
      R"(select f.id, count(c.code_hash), count(c.code_hash) filter (where c.used_at is null)
           from mfa_factors f left join recovery_codes c on c.factor_id = f.id
          where f.user_id = $1::uuid and f.factor_type = 'recovery_code' group by f.id)",
      {user});
  if (rows.empty()) return std::nullopt;
  return RecoveryState{*rows[0][0], number<int>(*rows[0][1]), number<int>(*rows[0][2])};
}

std::string Factors::replace_recovery_codes(storage::Sql& sql,
                                            const std::string& user,
                                            const std::string& name,
                                            const std::vector<std::string>& codes) const {
  sql.run("delete from mfa_factors where user_id = $1::uuid and factor_type = 'recovery_code'",
          {user});
  const std::string id = *sql.value(
      R"(insert into mfa_factors (user_id, friendly_name, factor_type, status)
         values ($1::uuid, $2, 'recovery_code', 'verified') returning id)",
      {user, name});
  for (const std::string& code : codes) {
    sql.run(
        "insert into recovery_codes (factor_id, code_hash) values ($1::uuid, decode($2, 'hex'))",
        {id, recovery_digest(code)});
  }
  return id;
}

bool Factors::use_recovery_code(storage::Sql& sql,
                                const std::string& user,
                                std::string_view code,
                                const Moment& now) const {
  return sql.run(
             R"(update recovery_codes c set used_at = to_timestamp($3::float8)
                  from mfa_factors f
                 where f.id = c.factor_id and f.user_id = $1::uuid
                   and c.code_hash = decode($2, 'hex') and c.used_at is null)",
             {user, recovery_digest(code), now.sql()}) == 1;
}

bool Factors::remove_recovery_codes(storage::Sql& sql, const std::string& user) const {
  return sql.run(
             R"(delete from mfa_factors
                 where user_id = $1::uuid and factor_type = 'recovery_code')",
             {user}) == 1;
}

std::string Factors::recovery_digest(std::string_view code) const {
  return hex(hmac_sha256(recovery_secret_, canonical_recovery_code(code)));
}

}  // namespace qylon::api

#include "api/identity/one_time.hpp"

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"

namespace qylon::api {
namespace {

constexpr std::size_t kCodeDigits = 6;

std::string array_of(const std::vector<std::string>& words) {
  std::string text = "{";
  for (const std::string& word : words)
    text += (text.size() > 1 ? "," : "") + word;
  return text + "}";
}

std::optional<Redeemed> first(const std::vector<storage::SqlRow>& rows) {
  if (rows.empty()) return std::nullopt;
  return Redeemed{*rows[0][0], *rows[0][1], rows[0][2].value_or("")};
}

}  // namespace

std::string OneTimeTokens::code_digest(std::string_view email, std::string_view code) const {
  return hex(hmac_sha256(secret_, std::string(email) + '\n' + std::string(code)));
}

OneTime OneTimeTokens::make(storage::Sql& sql, const Wanted& wanted, const Moment& now) const {
  OneTime made{random_token(), random_digits(kCodeDigits)};
  sql.run(
      R"(insert into one_time_tokens
           (user_id, purpose, token_hash, code_hash, code_challenge, expires_at)
         values ($1::uuid, $2, decode($3, 'hex'), decode($4, 'hex'), nullif($5, ''),
                 to_timestamp($6::float8 + $7::float8))
         on conflict (user_id, purpose) do update
           set token_hash = excluded.token_hash, code_hash = excluded.code_hash,
               code_challenge = excluded.code_challenge, expires_at = excluded.expires_at)",
      {wanted.user,
       wanted.purpose,
       hex(sha256(made.token)),
       code_digest(wanted.email, made.code),
       wanted.code_challenge,
       now.sql(),
       std::to_string(wanted.lives_s)});
  return made;
}

std::optional<Redeemed> OneTimeTokens::redeem_token(storage::Sql& sql,
                                                    std::string_view token,
                                                    const std::vector<std::string>& purposes,
                                                    const Moment& now) const {
  return first(sql.rows(R"(delete from one_time_tokens
                   where token_hash = decode($1, 'hex') and purpose = any ($2::text[])
                     and expires_at > to_timestamp($3::float8)
                  returning user_id, purpose, code_challenge)",
                        {hex(sha256(token)), array_of(purposes), now.sql()}));
}

std::optional<Redeemed> OneTimeTokens::redeem_code(storage::Sql& sql,
                                                   std::string_view email,
                                                   std::string_view code,
                                                   const std::vector<std::string>& purposes,
                                                   const Moment& now) const {
  return first(
      sql.rows(R"(delete from one_time_tokens t using users u
                   where u.id = t.user_id and (u.email = $1 or u.new_email = $1)
                     and t.code_hash = decode($2, 'hex') and t.purpose = any ($3::text[])
                     and t.expires_at > to_timestamp($4::float8)
                  returning t.user_id, t.purpose, t.code_challenge)",
               {std::string(email), code_digest(email, code), array_of(purposes), now.sql()}));
}

void OneTimeTokens::sweep(storage::Sql& sql, const Moment& now) {
  sql.run("delete from one_time_tokens where expires_at < to_timestamp($1::float8)", {now.sql()});
}

}  // namespace qylon::api

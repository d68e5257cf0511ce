#include "api/identity/attempts.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"

namespace qylon::api {
namespace {

std::string key_of(const AttemptRule& rule, std::string_view whom) {
  return hex(sha256(std::string(rule.what) + '\n' + std::string(whom)));
}

std::int64_t whole(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::int64_t count_attempt(storage::Sql& sql,
                           const AttemptRule& rule,
                           std::string_view whom,
                           const Moment& now) {
  const auto counted = sql.rows(
      R"(insert into auth_attempts as a (key, count, since)
         values (decode($1, 'hex'), 1, to_timestamp($2::float8))
         on conflict (key) do update set
           count = case when a.since <= excluded.since - make_interval(secs => $3::float8)
                        then 1 else least(a.count, 1000000) + 1 end,
           since = case when a.since <= excluded.since - make_interval(secs => $3::float8)
                        then excluded.since else a.since end
         returning count, ceil(extract(epoch from since))::bigint)",
      {key_of(rule, whom), now.sql(), std::to_string(rule.window_s)});
  if (whole(*counted[0][0]) <= rule.limit) return 0;
  return std::max<std::int64_t>(1, whole(*counted[0][1]) + rule.window_s - now.seconds());
}

void forget_attempts(storage::Sql& sql, const AttemptRule& rule, std::string_view whom) {
  sql.run("delete from auth_attempts where key = decode($1, 'hex')", {key_of(rule, whom)});
}

void sweep_attempts(storage::Sql& sql, const Moment& now) {
  constexpr std::int64_t kLongestWindowS = 3600;
  sql.run("delete from auth_attempts where since < to_timestamp($1::float8 - $2::float8)",
          {now.sql(), std::to_string(kLongestWindowS)});
}

}  // namespace qylon::api

#include "api/core/idempotency.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/http_answers.hpp"
#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/problem_json.hpp"
#include "core/utf8.hpp"
#include "storage/sql.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::json;
using storage::Session;
using storage::Sql;

constexpr std::size_t kKeyCharsMax = 255;

// A row whose time is over, or whose server went away, is taken like none.
constexpr const char* kClaim =
    "insert into idempotency_keys as k (principal, key, fingerprint) values ($1, $2, $3::bytea)"
    " on conflict (principal, key) do update set fingerprint = excluded.fingerprint,"
    " status = null, content_type = '', headers = '[]', body = '', started_at = now()"
    " where k.started_at < now() - interval '24 hours'"
    " or (k.status is null and k.started_at < now() - interval '2 minutes') returning 1";
constexpr const char* kFind =
    "select fingerprint = $3::bytea, status, content_type, headers, body from idempotency_keys"
    " where principal = $1 and key = $2";
constexpr const char* kKeep =
    "update idempotency_keys set status = $4::integer, content_type = $5, headers = $6::jsonb,"
    " body = $7 where principal = $1 and key = $2 and fingerprint = $3::bytea";
constexpr const char* kForget =
    "delete from idempotency_keys where principal = $1 and key = $2 and fingerprint = $3::bytea";
// A few at a time, with every claim: no more come in than go.
constexpr const char* kExpire =
    "delete from idempotency_keys where (principal, key) in (select principal, key"
    " from idempotency_keys where started_at < now() - interval '24 hours'"
    " limit 10 for update skip locked)";

std::string_view key_of(const Call& call) {
  return call.request.header("idempotency-key");
}

/// Principal, key, and the digest of what makes it the same request.
std::vector<storage::SqlValue> identity_of(const Call& call) {
  const HttpRequest& request = call.request;
  std::string same = request.method + "\n" + request.path + "\n";
  for (const auto& [name, value] : request.query)
    same.append(name).append("=").append(value).append("\n");
  same.append("\n").append(request.header("x-org-id")).append("\n").append(request.body);
  return {call.principal.role + ":" + call.principal.user,
          std::string(key_of(call)),
          "\\x" + hex(sha256(same))};
}

HttpResponse refusal(int status, std::string code, std::string detail) {
  HttpResponse response =
      problem_answer({.status = status, .code = std::move(code), .detail = std::move(detail)});
  if (status == 409) response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpResponse kept_answer(const storage::SqlRow& row) {
  if (row[0] != "t") {
    return refusal(422,
                   "idempotency_key_reused",
                   "this Idempotency-Key came with another request before; choose a new one");
  }
  if (!row[1]) {
    return refusal(
        409, "idempotency_key_in_use", "the request with this Idempotency-Key is being answered");
  }
  HttpResponse response;
  response.status = std::stoi(*row[1]);
  response.content_type = row[2].value_or("");
  response.body = row[4].value_or("");
  for (const Json& header : Json::parse(row[3].value_or("[]")))
    response.headers.emplace_back(header.at(0), header.at(1));
  response.headers.emplace_back("Idempotency-Replayed", "true");
  return response;
}

bool can_be_kept(const HttpResponse& response) {
  return response.status < 500 && response.status != 429 && response.file_path.empty() &&
         response.body.size() <= Idempotency::kBodyBytesMax && is_utf8(response.body) &&
         response.body.find('\0') == std::string::npos;
}

/// Writes the answer down, so that whoever asks again after it was heard finds it.
void keep(Session& session, std::vector<storage::SqlValue> values, const HttpResponse& response) {
  const bool kept = can_be_kept(response);
  if (kept) {
    Json headers = Json::array();
    for (const auto& [name, value] : response.headers)
      headers.push_back({name, value});
    values.emplace_back(std::to_string(response.status));
    values.emplace_back(response.content_type);
    values.emplace_back(headers.dump(-1, ' ', false, Json::error_handler_t::replace));
    values.emplace_back(response.body);
  }
  // Who cannot be served now is told by the answer itself; the claim ends by its time.
  static_cast<void>(session.transact([&](pqxx::transaction_base& transaction) {
    Sql(transaction).run(kept ? kKeep : kForget, values);
    return ok();
  }));
}

}  // namespace

bool Idempotency::applies(const Call& call, const Route& route) {
  const bool is_change = call.request.method != "GET";
  return is_change && !route.secret && call.principal.role != "anon" &&
         route.permission > Permission::kAnyone && !key_of(call).empty();
}

void Idempotency::run(const CallPtr& call, const Route& route, HttpReply reply) {
  if (count_code_points(key_of(*call)) > kKeyCharsMax || !is_utf8(key_of(*call))) {
    return reply(problem({ErrorCode::kInvalidArgument,
                          "an Idempotency-Key has at most 255 characters, e.g. a UUID"}));
  }
  const bool taken = jobs_.submit(
      [this, call, &route, reply](Session& session) { begin(call, route, reply, session); });
  if (taken) return;
  reply(
      problem({ErrorCode::kOverloaded, "the database has too much to do; try again in a second"}));
}

void Idempotency::begin(const CallPtr& call,
                        const Route& route,
                        const HttpReply& reply,
                        Session& session) {
  const auto values = identity_of(*call);
  std::vector<storage::SqlRow> found;
  bool claimed = false;
  const Status asked = session.transact([&](pqxx::transaction_base& transaction) {
    Sql sql(transaction);
    sql.run(kExpire);
    claimed = !sql.rows(kClaim, values).empty();
    if (!claimed) found = sql.rows(kFind, values);
    return ok();
  });
  if (!asked) return reply(problem(asked.error()));
  if (!claimed && found.empty()) return reply(refusal(409, "idempotency_key_in_use", "try again"));
  if (!claimed) return reply(kept_answer(found.front()));
  route.handler(call, [&keeping = keeping_, values, reply](const HttpResponse& response) {
    const bool taken = keeping.submit([values, reply, response](Session& next) {
      keep(next, values, response);
      reply(response);
    });
    if (!taken) reply(response);
  });
}

}  // namespace qylon::api

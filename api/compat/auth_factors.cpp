#include <utility>

#include "api/compat/auth_body.hpp"
#include "api/compat/supabase_auth.hpp"
#include "api/http_answers.hpp"
#include "api/identity/qr_code.hpp"
#include "api/identity/text_codes.hpp"
#include "api/identity/totp.hpp"
#include "core/ids.hpp"

namespace qylon::api {
namespace {

using Sql = storage::Sql;

HttpResponse no_factor() {
  return auth_problem(404, "mfa_factor_not_found", "you have no such factor");
}

HttpResponse wrong_code() {
  return auth_problem(422, "mfa_verification_failed", "the code is wrong, or was used before");
}

/// Factors belong to a login, not to API keys or to tokens of other issuers.
std::optional<HttpResponse> no_login(const SignedIn& caller) {
  if (!caller.session.empty() && !caller.by_key) return std::nullopt;
  return auth_problem(403, "no_authorization", "second factors want a user who has logged in");
}

/// Who has a second factor shows it before the factors change.
std::optional<HttpResponse> insufficient(AuthContext& context, Sql& sql, const SignedIn& caller) {
  const auto account = find_by_id(sql, caller.user, context.now());
  if (account && (!account->has_second_factor || caller.aal == "aal2")) return std::nullopt;
  return auth_problem(403, "insufficient_aal", "show your second factor first");
}

/// Runs `body` for a caller who has logged in.
void for_login(AuthContext& context,
               const CallPtr& call,
               HttpReply reply,
               std::function<HttpResponse(Sql&, const SignedIn&)> body) {
  const SignedIn caller = signed_in(call->principal);
  if (auto refusal = no_login(caller)) return reply(*std::move(refusal));
  context.transact(std::move(reply), [caller, body = std::move(body)](Sql& sql) {
    return Result<HttpResponse>(body(sql, caller));
  });
}

HttpResponse enrolled_answer(const Factors::Enrolled& made,
                             const std::string& name,
                             const std::string& uri) {
  const auto qr_code = qr_svg(uri);
  if (!qr_code) return problem(qr_code.error());
  const Json json{{"id", made.id},
                  {"type", "totp"},
                  {"friendly_name", name},
                  {"totp", {{"qr_code", *qr_code}, {"secret", base32(made.secret)}, {"uri", uri}}}};
  return json_answer(200, json.dump());
}

void enrol(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  if (body->text("factor_type") != "totp") {
    return reply(auth_problem(400, "validation_failed", "factor_type must be totp"));
  }
  std::string name = body->text("friendly_name");
  std::string issuer = body->text("issuer");
  if (issuer.empty()) issuer = "Qylon";
  if (name.size() > 100 || issuer.size() > 100) {
    return reply(auth_problem(400, "validation_failed", "a name has at most 100 bytes"));
  }
  for_login(context,
            call,
            std::move(reply),
            [&context, name = std::move(name), issuer = std::move(issuer)](Sql& sql,
                                                                           const SignedIn& caller) {
              if (auto refusal = insufficient(context, sql, caller)) return *std::move(refusal);
              const bool taken = sql.value(
                                        "select 1 from mfa_factors where user_id = $1::uuid and "
                                        "friendly_name = $2 and status = 'verified'",
                                        {caller.user, name})
                                     .has_value();
              if (taken) {
                return auth_problem(
                    422, "mfa_factor_name_conflict", "you have a factor of this name");
              }
              const auto made = context.identity().factors().enrol(sql, caller.user, name);
              if (!made) {
                return auth_problem(
                    422, "too_many_enrolled_mfa_factors", "a user has at most ten factors");
              }
              const auto account = find_by_id(sql, caller.user, context.now());
              return enrolled_answer(*made, name, totp_uri(issuer, account->email, made->secret));
            });
}

void challenge(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto factor = Uuid::parse(call->captures[0]);
  if (!factor) return reply(no_factor());
  for_login(context,
            call,
            std::move(reply),
            [&context, factor = factor->to_string()](Sql& sql, const SignedIn& caller) {
              const Moment now = context.now();
              const auto id = context.identity().factors().challenge(sql, caller.user, factor, now);
              if (!id) return no_factor();
              return json_answer(200,
                                 R"({"id":")" + *id + R"(","type":"totp","expires_at":)" +
                                     std::to_string(now.seconds() + kChallengeS) + "}");
            });
}

void verify(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  const auto factor = Uuid::parse(call->captures[0]);
  const auto challenged = Uuid::parse(body->text("challenge_id"));
  if (!factor || !challenged) return reply(no_factor());
  for_login(context,
            call,
            std::move(reply),
            [&context,
             factor = factor->to_string(),
             challenge_id = challenged->to_string(),
             code = body->text("code")](Sql& sql, const SignedIn& caller) {
              const Moment now = context.now();
              const auto wait_s = count_attempt(sql, kSecondFactorAttempts, caller.user, now);
              if (wait_s > 0) return too_many(wait_s);
              switch (context.identity().factors().verify(
                  sql, caller.user, factor, challenge_id, code, now)) {
                case Factors::Outcome::kRight:
                  forget_attempts(sql, kSecondFactorAttempts, caller.user);
                  return json_answer(
                      200, context.identity().sessions().raise(sql, caller.session, "totp", now));
                case Factors::Outcome::kWrong:
                  return wrong_code();
                case Factors::Outcome::kExpired:
                  return auth_problem(422, "mfa_challenge_expired", "begin with a new challenge");
                case Factors::Outcome::kUnknown:
                  break;
              }
              return no_factor();
            });
}

void unenrol(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto factor = Uuid::parse(call->captures[0]);
  if (!factor) return reply(no_factor());
  for_login(context,
            call,
            std::move(reply),
            [&context, factor = factor->to_string()](Sql& sql, const SignedIn& caller) {
              if (auto refusal = insufficient(context, sql, caller)) return *std::move(refusal);
              if (!context.identity().factors().remove(sql, caller.user, factor)) {
                return no_factor();
              }
              return json_answer(200, R"({"id":")" + factor + "\"}");
            });
}

void recovery_state(AuthContext& context, const CallPtr& call, HttpReply reply) {
  for_login(context, call, std::move(reply), [&context](Sql& sql, const SignedIn& caller) {
    const auto state = context.identity().factors().recovery_state(sql, caller.user);
    if (!state) return no_factor();
    const Json json{{"id", state->id},
                    {"type", "recovery_code"},
                    {"total", state->total},
                    {"remaining", state->remaining}};
    return json_answer(200, json.dump());
  });
}

/// New codes want that the app works: who lost it would only lose them too.
HttpResponse new_codes(AuthContext& context, Sql& sql, const SignedIn& caller, std::string name) {
  const auto account = find_by_id(sql, caller.user, context.now());
  if (!account || !account->has_second_factor || caller.aal != "aal2") {
    return auth_problem(
        403, "insufficient_aal", "verify an authenticator app, and show a code of it, first");
  }
  if (name.empty()) name = "Recovery codes";
  const auto codes = new_recovery_codes();
  const std::string id =
      context.identity().factors().replace_recovery_codes(sql, caller.user, name, codes);
  const Json json{{"id", id},
                  {"type", "recovery_code"},
                  {"friendly_name", name},
                  {"total", codes.size()},
                  {"codes", codes}};
  return json_answer(200, json.dump());
}

void make_recovery_codes(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  for_login(context,
            call,
            std::move(reply),
            [&context, name = body->text("friendly_name").substr(0, 100)](Sql& sql,
                                                                          const SignedIn& caller) {
              if (context.identity().factors().recovery_state(sql, caller.user)) {
                return auth_problem(
                    422, "mfa_factor_name_conflict", "there are codes already: regenerate them");
              }
              return new_codes(context, sql, caller, name);
            });
}

void remake_recovery_codes(AuthContext& context, const CallPtr& call, HttpReply reply) {
  for_login(context, call, std::move(reply), [&context](Sql& sql, const SignedIn& caller) {
    return new_codes(context, sql, caller, {});
  });
}

void use_recovery_code(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  for_login(context,
            call,
            std::move(reply),
            [&context, code = body->text("code")](Sql& sql, const SignedIn& caller) {
              const Moment now = context.now();
              const auto wait_s = count_attempt(sql, kSecondFactorAttempts, caller.user, now);
              if (wait_s > 0) return too_many(wait_s);
              if (!context.identity().factors().use_recovery_code(sql, caller.user, code, now)) {
                return wrong_code();
              }
              forget_attempts(sql, kSecondFactorAttempts, caller.user);
              return json_answer(
                  200,
                  context.identity().sessions().raise(sql, caller.session, "recovery_code", now));
            });
}

void drop_recovery_codes(AuthContext& context, const CallPtr& call, HttpReply reply) {
  for_login(context, call, std::move(reply), [&context](Sql& sql, const SignedIn& caller) {
    if (auto refusal = insufficient(context, sql, caller)) return *std::move(refusal);
    const auto state = context.identity().factors().recovery_state(sql, caller.user);
    if (!state || !context.identity().factors().remove_recovery_codes(sql, caller.user)) {
      return no_factor();
    }
    return json_answer(200, R"({"id":")" + state->id + "\"}");
  });
}

}  // namespace

std::vector<Route> factor_routes(AuthContext& context) {
  const std::string codes = "/auth/v1/factors/recovery-codes";
  return {context.route("POST", "/auth/v1/factors", Permission::kUser, enrol),
          context.route("POST", "/auth/v1/factors/{id}/challenge", Permission::kUser, challenge),
          context.route("POST", "/auth/v1/factors/{id}/verify", Permission::kUser, verify),
          context.route("DELETE", "/auth/v1/factors/{id}", Permission::kUser, unenrol),
          context.route("GET", codes, Permission::kUser, recovery_state),
          context.route("POST", codes, Permission::kUser, make_recovery_codes),
          context.route("POST", codes + "/regenerate", Permission::kUser, remake_recovery_codes),
          context.route("POST", codes + "/verify", Permission::kUser, use_recovery_code),
          context.route("DELETE", codes, Permission::kUser, drop_recovery_codes)};
}

}  // namespace qylon::api

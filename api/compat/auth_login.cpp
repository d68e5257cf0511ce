#include <memory>
#include <utility>

#include "api/compat/auth_body.hpp"
#include "api/compat/auth_password.hpp"
#include "api/compat/supabase_auth.hpp"
#include "api/core/session_cookie.hpp"
#include "api/http_answers.hpp"
#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/ids.hpp"

namespace qylon::api {
namespace {

using Sql = storage::Sql;

HttpResponse invalid_credentials() {
  return auth_problem(400, "invalid_credentials", "wrong e-mail address or password");
}

struct SignUp {
  NewUser user;
  std::string redirect_to;
  std::string code_challenge;
  Peer peer;
};

/// Somebody has the address. Who asks cannot be told, or strangers would learn who has an account.
Result<HttpResponse> sign_up_again(AuthContext& context,
                                   Sql& sql,
                                   const SignUp& wanted,
                                   const Account& there) {
  if (!context.sends_mail()) {
    return auth_problem(422, "user_already_exists", "there is an account with this address");
  }
  const Moment now = context.now();
  if (!there.confirmed && count_attempt(sql, kMails, there.email, now) == 0) {
    const OneTime made =
        context.identity().one_time().make(sql,
                                           {.user = there.id,
                                            .purpose = "signup",
                                            .email = there.email,
                                            .code_challenge = wanted.code_challenge},
                                           now);
    const Status mailed = context.mail(made, "signup", there.email, wanted.redirect_to);
    if (!mailed) return mailed.error();
  }
  const auto shape = sql.value(
      R"(select (app.user_json(u) || jsonb_build_object(
                   'id', gen_random_uuid(), 'identities', '[]'::jsonb, 'factors', '[]'::jsonb,
                   'user_metadata', $2::jsonb, 'email_confirmed_at', null, 'confirmed_at', null,
                   'last_sign_in_at', null, 'new_email', null,
                   'created_at', to_timestamp($3::float8), 'updated_at', to_timestamp($3::float8),
                   'app_metadata', '{"provider": "email", "providers": ["email"]}'::jsonb))::text
           from users u where id = $1::uuid)",
      {there.id, wanted.user.user_metadata, now.sql()});
  return json_answer(200, *shape);
}

Result<HttpResponse> make_account(AuthContext& context, Sql& sql, const SignUp& wanted) {
  const Moment now = context.now();
  const auto there = find_by_email(sql, wanted.user.email, now);
  if (there) return sign_up_again(context, sql, wanted, *there);
  const std::string id = insert_user(sql, wanted.user, now);
  if (!context.sends_mail()) {
    return json_answer(200,
                       context.identity().sessions().open(sql, id, "password", wanted.peer, now));
  }
  count_attempt(sql, kMails, wanted.user.email, now);
  const OneTime made = context.identity().one_time().make(sql,
                                                          {.user = id,
                                                           .purpose = "signup",
                                                           .email = wanted.user.email,
                                                           .code_challenge = wanted.code_challenge},
                                                          now);
  const Status mailed = context.mail(made, "signup", wanted.user.email, wanted.redirect_to);
  if (!mailed) return mailed.error();
  return json_answer(200, user_json(sql, id).value());
}

void sign_up(AuthContext& context, const CallPtr& call, HttpReply reply) {
  if (!context.options().sign_up) {
    return reply(auth_problem(422, "signup_disabled", "new accounts are made by invitation only"));
  }
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  const auto email = body->email();
  if (!email) return reply(auth_problem(400, "validation_failed", email.error().message));
  const std::string password = body->text("password");
  if (auto weak = weak_password(password, *email)) return reply(*std::move(weak));
  auto wanted = std::make_shared<SignUp>();
  wanted->user.email = *email;
  wanted->user.user_metadata = body->object("data").value_or("{}");
  wanted->user.confirmed = !context.sends_mail();
  wanted->redirect_to = std::string(call->request.query_value("redirect_to"));
  wanted->code_challenge = body->code_challenge();
  wanted->peer = peer_of(call->request);
  hash_then(context, password, std::move(reply), [&context, wanted](std::string phc, HttpReply to) {
    wanted->user.password_hash = std::move(phc);
    context.transact(std::move(to),
                     [&context, wanted](Sql& sql) { return make_account(context, sql, *wanted); });
  });
}

struct LogIn {
  std::string email;
  std::string password;
  Peer peer;
  Account account;
};

void open_session(AuthContext& context, const std::shared_ptr<LogIn>& wanted, HttpReply reply) {
  if (wanted->account.banned) {
    return reply(auth_problem(403, "user_banned", "this account is blocked"));
  }
  if (!wanted->account.confirmed) {
    return reply(auth_problem(
        400, "email_not_confirmed", "follow the link in the mail that confirms your address"));
  }
  context.transact(std::move(reply), [&context, wanted](Sql& sql) -> Result<HttpResponse> {
    const Moment now = context.now();
    forget_attempts(sql, kPasswordAttempts, wanted->email);
    return json_answer(
        200,
        context.identity().sessions().open(sql, wanted->account.id, "password", wanted->peer, now));
  });
}

void check_password(AuthContext& context, const std::shared_ptr<LogIn>& wanted, HttpReply reply) {
  const bool taken = context.identity().passwords().verify(
      wanted->account.password_hash, wanted->password, [&context, wanted, reply](bool right) {
        context.passwords_checked().add();
        context.sign_ins(right).add();
        right ? open_session(context, wanted, reply) : reply(invalid_credentials());
      });
  if (!taken) {
    reply(problem({ErrorCode::kOverloaded, "too many passwords wait; try again in a second"}));
  }
}

/// The attempt is counted and committed before the password is looked at.
void log_in(AuthContext& context, const CallPtr& call, const AuthBody& body, HttpReply reply) {
  const auto email = body.email();
  if (!email) return reply(invalid_credentials());
  auto wanted = std::make_shared<LogIn>();
  wanted->email = *email;
  wanted->password = body.text("password");
  wanted->peer = peer_of(call->request);
  context.transact_then(
      std::move(reply),
      [&context, wanted](Sql& sql) -> std::optional<HttpResponse> {
        const Moment now = context.now();
        const auto wait_s = count_attempt(sql, kPasswordAttempts, wanted->email, now);
        if (wait_s > 0) return too_many(wait_s);
        wanted->account = find_by_email(sql, wanted->email, now).value_or(Account{});
        return std::nullopt;
      },
      [&context, wanted](HttpReply to) { check_password(context, wanted, std::move(to)); });
}

/// As grant_type=password, and the access token goes into a cookie too.
void log_in_with_cookie(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  log_in(context, call, *body, [reply = std::move(reply)](HttpResponse response) {
    const Json session = Json::parse(response.body, nullptr, false);
    if (response.status == 200 && session.is_object())
      response.headers.emplace_back(
          "Set-Cookie",
          set_session_cookie(session.value("access_token", ""), session.value("expires_in", 0)));
    reply(std::move(response));
  });
}

void refresh(AuthContext& context, const AuthBody& body, HttpReply reply) {
  context.transact(
      std::move(reply),
      [&context, token = body.text("refresh_token")](Sql& sql) -> Result<HttpResponse> {
        auto refreshed = context.identity().sessions().refresh(sql, token, context.now());
        if (!refreshed.refusal) return json_answer(200, std::move(refreshed.body));
        if (*refreshed.refusal == Sessions::Refusal::kReused) {
          return auth_problem(400,
                              "refresh_token_already_used",
                              "this refresh token was used before: the session has "
                              "ended, log in again");
        }
        return auth_problem(400, "refresh_token_not_found", "the session has ended: log in again");
      });
}

/// Source: RFC 7636 section 4.6.
void exchange_code(AuthContext& context,
                   const CallPtr& call,
                   const AuthBody& body,
                   HttpReply reply) {
  context.transact(
      std::move(reply),
      [&context,
       code = body.text("auth_code"),
       challenge = base64url(sha256(body.text("code_verifier"))),
       peer = peer_of(call->request)](Sql& sql) -> Result<HttpResponse> {
        const Moment now = context.now();
        const auto redeemed = context.identity().one_time().redeem_token(sql, code, {"pkce"}, now);
        if (!redeemed || !same_secret(redeemed->code_challenge, challenge)) {
          return auth_problem(400, "bad_code_verifier", "the code is unknown, used or expired");
        }
        return json_answer(
            200, context.identity().sessions().open(sql, redeemed->user, "otp", peer, now));
      });
}

void token(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  const std::string_view grant = call->request.query_value("grant_type");
  if (grant == "password") return log_in(context, call, *body, std::move(reply));
  if (grant == "refresh_token") return refresh(context, *body, std::move(reply));
  if (grant == "pkce") return exchange_code(context, call, *body, std::move(reply));
  reply(auth_problem(400, "invalid_request", "grant_type must be password, refresh_token or pkce"));
}

void log_out(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const std::string_view asked = call->request.query_value("scope");
  const auto scope = asked == "local"    ? Sessions::Scope::kThis
                     : asked == "others" ? Sessions::Scope::kOthers
                                         : Sessions::Scope::kAll;
  context.transact(
      std::move(reply), [&context, caller = signed_in(call->principal), scope](Sql& sql) {
        if (!caller.user.empty() && !caller.by_key) {
          context.identity().sessions().end(sql, caller.user, caller.session, scope, context.now());
        }
        return Result<HttpResponse>(no_content());
      });
}

/// Ends the session of the cookie, or of whatever else was shown, and takes the cookie away.
void log_out_with_cookie(AuthContext& context, const CallPtr& call, HttpReply reply) {
  log_out(context, call, [reply = std::move(reply)](HttpResponse response) {
    response.headers.emplace_back("Set-Cookie", set_session_cookie("", 0));
    reply(std::move(response));
  });
}

}  // namespace

std::vector<Route> login_routes(AuthContext& context) {
  return {context.route("POST", "/auth/v1/signup", Permission::kOpen, sign_up),
          context.route("POST", "/auth/v1/token", Permission::kOpen, token),
          context.route("POST", "/auth/v1/logout", Permission::kUser, log_out),
          context.route("POST", "/api/auth/login", Permission::kOpen, log_in_with_cookie),
          context.route("POST", "/api/auth/logout", Permission::kUser, log_out_with_cookie)};
}

}  // namespace qylon::api

#include <memory>
#include <utility>

#include "api/compat/auth_body.hpp"
#include "api/compat/supabase_auth.hpp"
#include "api/http_answers.hpp"
#include "api/identity/text_codes.hpp"

namespace qylon::api {
namespace {

using Sql = storage::Sql;

HttpResponse expired() {
  return auth_problem(403, "otp_expired", "the link or code is wrong, used or expired");
}

/// What GoTrue's `type` lets in.
std::vector<std::string> purposes_of(std::string_view type) {
  if (type == "email") return {"signup", "magiclink", "invite"};
  for (const char* const purpose : {"signup", "invite", "magiclink", "recovery", "email_change"}) {
    if (type == purpose) return {purpose};
  }
  return {};
}

struct Sending {
  std::string purpose;
  std::string email;
  std::string redirect_to;
  std::string code_challenge;
  bool create = false;
  std::string user_metadata = "{}";
};

/// The account that the mail is for. Whether there is one cannot be told from the answer.
std::optional<Account> recipient(AuthContext& context, Sql& sql, Sending& sending) {
  const Moment now = context.now();
  auto account = find_by_email(sql, sending.email, now);
  if (!account && sending.create && context.options().sign_up) {
    insert_user(sql, {.email = sending.email, .user_metadata = sending.user_metadata}, now);
    account = find_by_email(sql, sending.email, now);
  }
  if (!account || account->banned) return std::nullopt;
  if (sending.purpose == "signup" && account->confirmed) return std::nullopt;
  if (sending.purpose == "email_change") {
    const auto asked = sql.value("select new_email from users where id = $1::uuid", {account->id});
    if (!asked) return std::nullopt;
    sending.email = *asked;  // Where the user wants to be reached; the account has the old one.
  }
  return account;
}

void send(AuthContext& context, Sending wanted, HttpReply reply) {
  if (!context.sends_mail()) {
    return reply(auth_problem(422, "email_provider_disabled", "this server sends no mail"));
  }
  context.transact(
      std::move(reply), [&context, wanted = std::move(wanted)](Sql& sql) -> Result<HttpResponse> {
        Sending sending = wanted;
        const Moment now = context.now();
        const auto wait_s = count_attempt(sql, kMails, sending.email, now);
        if (wait_s > 0) return too_many(wait_s, "over_email_send_rate_limit");
        const auto account = recipient(context, sql, sending);
        if (!account) return json_answer(200, "{}");
        const OneTime made =
            context.identity().one_time().make(sql,
                                               {.user = account->id,
                                                .purpose = sending.purpose,
                                                .email = sending.email,
                                                .code_challenge = sending.code_challenge},
                                               now);
        const Status mailed =
            context.mail(made, sending.purpose, sending.email, sending.redirect_to);
        if (!mailed) return mailed.error();
        return json_answer(200, "{}");
      });
}

/// Reads what recover, otp and resend have in common.
void send_as(AuthContext& context,
             const CallPtr& call,
             HttpReply reply,
             const std::function<std::string(const AuthBody&)>& purpose) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  const auto email = body->email();
  if (!email) return reply(auth_problem(400, "validation_failed", email.error().message));
  Sending sending{.purpose = purpose(*body),
                  .email = *email,
                  .redirect_to = std::string(call->request.query_value("redirect_to")),
                  .code_challenge = body->code_challenge(),
                  .create = body->flag("create_user"),
                  .user_metadata = body->object("data").value_or("{}")};
  if (sending.purpose.empty()) {
    return reply(auth_problem(
        400, "validation_failed", "what is sent again is a signup or an email_change"));
  }
  send(context, std::move(sending), std::move(reply));
}

void recover(AuthContext& context, const CallPtr& call, HttpReply reply) {
  send_as(context, call, std::move(reply), [](const AuthBody&) { return "recovery"; });
}

void otp(AuthContext& context, const CallPtr& call, HttpReply reply) {
  send_as(context, call, std::move(reply), [](const AuthBody&) { return "magiclink"; });
}

void resend(AuthContext& context, const CallPtr& call, HttpReply reply) {
  send_as(context, call, std::move(reply), [](const AuthBody& body) {
    const std::string type = body.text("type");
    return type == "signup" || type == "email_change" ? type : "";
  });
}

/// What the proof changes: the address is the user's.
void confirm(AuthContext& context, Sql& sql, const Redeemed& redeemed) {
  UserChange change{.confirmed = true};
  if (redeemed.purpose == "email_change") {
    change.email = sql.value("select new_email from users where id = $1::uuid", {redeemed.user});
  }
  change_user(sql, redeemed.user, change, context.now());
}

struct Shown {
  std::string token;  ///< Of a link; or empty.
  std::string email;
  std::string code;
  std::vector<std::string> purposes;
};

/// Nothing: the attempt was one too many, or wrong; `refusal` says which.
std::optional<Redeemed> redeem(AuthContext& context,
                               Sql& sql,
                               const Shown& shown,
                               HttpResponse& refusal) {
  const Moment now = context.now();
  const auto& tokens = context.identity().one_time();
  refusal = expired();
  if (!shown.token.empty()) return tokens.redeem_token(sql, shown.token, shown.purposes, now);
  const auto wait_s = count_attempt(sql, kMailCodeAttempts, shown.email, now);
  if (wait_s > 0) {
    refusal = too_many(wait_s);
    return std::nullopt;
  }
  auto redeemed = tokens.redeem_code(sql, shown.email, shown.code, shown.purposes, now);
  if (redeemed) forget_attempts(sql, kMailCodeAttempts, shown.email);
  return redeemed;
}

void verify(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  Shown shown{.token = body->text("token_hash"),
              .email = {},
              .code = body->text("token"),
              .purposes = purposes_of(body->text("type"))};
  if (shown.token.empty()) {
    const auto email = body->email();
    if (!email) return reply(auth_problem(400, "validation_failed", email.error().message));
    shown.email = *email;
  }
  context.transact(std::move(reply),
                   [&context, shown = std::move(shown), peer = peer_of(call->request)](
                       Sql& sql) -> Result<HttpResponse> {
                     HttpResponse refusal;
                     const auto redeemed = redeem(context, sql, shown, refusal);
                     if (!redeemed) return refusal;
                     confirm(context, sql, *redeemed);
                     const Moment now = context.now();
                     const auto account = find_by_id(sql, redeemed->user, now);
                     if (!account || account->banned) {
                       return auth_problem(403, "user_banned", "this account is blocked");
                     }
                     return json_answer(
                         200,
                         context.identity().sessions().open(sql, redeemed->user, "otp", peer, now));
                   });
}

HttpResponse redirect(const std::string& to) {
  HttpResponse response;
  response.status = 303;
  response.headers.emplace_back("Location", to);
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  return response;
}

/// The members of a session's JSON that GoTrue puts into the fragment, which servers never see.
std::string fragment_of(const std::string& session, const std::string& purpose) {
  const Json json = Json::parse(session);
  std::string fragment;
  for (const char* const name : {"access_token", "refresh_token"})
    fragment += std::string(name) + "=" + json[name].get<std::string>() + "&";
  for (const char* const name : {"expires_in", "expires_at"})
    fragment += std::string(name) + "=" + std::to_string(json[name].get<std::int64_t>()) + "&";
  return fragment + "token_type=bearer&type=" + purpose;
}

/// A link was followed. Clients that began with a challenge (PKCE) get a code, others the session.
HttpResponse follow(AuthContext& context,
                    Sql& sql,
                    const Redeemed& redeemed,
                    const std::string& to,
                    const Peer& peer) {
  const Moment now = context.now();
  if (!redeemed.code_challenge.empty()) {
    const OneTime made =
        context.identity().one_time().make(sql,
                                           {.user = redeemed.user,
                                            .purpose = "pkce",
                                            .email = {},
                                            .code_challenge = redeemed.code_challenge,
                                            .lives_s = 300},
                                           now);
    return redirect(to + (to.find('?') == to.npos ? "?" : "&") + "code=" + made.token);
  }
  const std::string session =
      context.identity().sessions().open(sql, redeemed.user, "otp", peer, now);
  return redirect(to + "#" + fragment_of(session, redeemed.purpose));
}

void verify_link(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const HttpRequest& request = call->request;
  Shown shown{.token = std::string(request.query_value("token")),
              .email = {},
              .code = {},
              .purposes = purposes_of(request.query_value("type"))};
  const std::string to = context.allowed_redirect(request.query_value("redirect_to"));
  context.transact(
      std::move(reply),
      [&context, shown = std::move(shown), to, peer = peer_of(request)](
          Sql& sql) -> Result<HttpResponse> {
        const auto redeemed = context.identity().one_time().redeem_token(
            sql, shown.token, shown.purposes, context.now());
        const auto account =
            redeemed ? find_by_id(sql, redeemed->user, context.now()) : std::nullopt;
        if (!account || account->banned) {
          return redirect(to + "#error=access_denied&error_code=otp_expired&error_description=" +
                          percent_encoded("the link is wrong, used or expired"));
        }
        confirm(context, sql, *redeemed);
        return follow(context, sql, *redeemed, to, peer);
      });
}

}  // namespace

std::vector<Route> mailbox_routes(AuthContext& context) {
  return {context.route("POST", "/auth/v1/recover", Permission::kOpen, recover),
          context.route("POST", "/auth/v1/otp", Permission::kOpen, otp),
          context.route("POST", "/auth/v1/resend", Permission::kOpen, resend),
          context.route("POST", "/auth/v1/verify", Permission::kOpen, verify),
          context.route("GET", "/auth/v1/verify", Permission::kOpen, verify_link)};
}

}  // namespace qylon::api

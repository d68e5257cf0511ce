#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "api/compat/auth_body.hpp"
#include "api/compat/auth_password.hpp"
#include "api/compat/supabase_auth.hpp"
#include "api/http_answers.hpp"
#include "api/identity/owner.hpp"
#include "core/ids.hpp"

namespace qylon::api {
namespace {

using Sql = storage::Sql;

HttpResponse no_user() {
  return auth_problem(404, "user_not_found", "there is no such user");
}

/// Seconds of GoTrue's ban_duration: "none", or a number with h, m or s, as "24h".
std::optional<std::string> ban_seconds(const std::string& duration) {
  if (duration == "none") return "0";
  std::int64_t number = 0;
  const char* const end = duration.data() + duration.size();
  const auto parsed = std::from_chars(duration.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr + 1 != end || number < 0 || number > 1'000'000) {
    return std::nullopt;
  }
  const std::int64_t unit = *parsed.ptr == 'h' ? 3600 : (*parsed.ptr == 'm' ? 60 : 1);
  if (unit == 1 && *parsed.ptr != 's') return std::nullopt;
  return std::to_string(number * unit);
}

struct Edit {
  std::string id;  ///< Empty: a new user.
  UserChange change;
};

Result<Edit> read_edit(const AuthBody& body) {
  Edit edit;
  if (body.has("email")) {
    const auto email = body.email();
    if (!email) return email.error();
    edit.change.email = *email;
  }
  edit.change.user_metadata = body.object("user_metadata");
  edit.change.app_metadata = body.object("app_metadata");
  if (body.flag("email_confirm")) edit.change.confirmed = true;
  if (body.has("ban_duration")) {
    edit.change.banned_s = ban_seconds(body.text("ban_duration"));
    if (!edit.change.banned_s) {
      return Error{ErrorCode::kInvalidArgument, "ban_duration is none, or like 24h"};
    }
  }
  return edit;
}

Result<HttpResponse> apply(AuthContext& context, Sql& sql, Edit edit) {
  const Moment now = context.now();
  if (edit.id.empty()) {
    if (!edit.change.email) {
      return auth_problem(400, "validation_failed", "a new user wants an email");
    }
    if (find_by_email(sql, *edit.change.email, now)) {
      return auth_problem(422, "email_exists", "there is an account with this address");
    }
    edit.id = insert_user(sql, {.email = *edit.change.email}, now);
  } else if (!find_by_id(sql, edit.id, now)) {
    return no_user();
  }
  change_user(sql, edit.id, edit.change, now);
  if (edit.change.password_hash || edit.change.banned_s.value_or("0") != "0") {
    context.identity().sessions().end(sql, edit.id, {}, Sessions::Scope::kAll, now);
  }
  context.identity().api_keys().load(sql, now);
  return json_answer(200, user_json(sql, edit.id).value());
}

void edit_user(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  auto read = read_edit(*body);
  if (!read) return reply(auth_problem(400, "validation_failed", read.error().message));
  auto edit = std::make_shared<Edit>(*std::move(read));
  if (!call->captures.empty()) {
    const auto id = Uuid::parse(call->captures[0]);
    if (!id) return reply(no_user());
    edit->id = id->to_string();
  }
  const auto change = [&context, edit](HttpReply to) {
    context.transact(std::move(to),
                     [&context, edit](Sql& sql) { return apply(context, sql, *edit); });
  };
  if (!body->has("password")) return change(std::move(reply));
  const std::string password = body->text("password");
  if (auto weak = weak_password(password, edit->change.email.value_or(""))) {
    return reply(*std::move(weak));
  }
  hash_then(context, password, std::move(reply), [edit, change](std::string phc, HttpReply to) {
    edit->change.password_hash = std::move(phc);
    change(std::move(to));
  });
}

void find_user(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto id = Uuid::parse(call->captures[0]);
  if (!id) return reply(no_user());
  context.transact(std::move(reply), [id = id->to_string()](Sql& sql) -> Result<HttpResponse> {
    auto json = user_json(sql, id);
    return json ? json_answer(200, *std::move(json)) : no_user();
  });
}

void delete_user(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto id = Uuid::parse(call->captures[0]);
  if (!id) return reply(no_user());
  context.transact(std::move(reply),
                   [&context, id = id->to_string()](Sql& sql) -> Result<HttpResponse> {
                     const Moment now = context.now();
                     context.identity().sessions().end(sql, id, {}, Sessions::Scope::kAll, now);
                     sql.run("delete from org_members where user_id = $1::uuid", {id});
                     if (sql.run("delete from users where id = $1::uuid", {id}) == 0)
                       return no_user();
                     context.identity().api_keys().load(sql, now);
                     return json_answer(200, "{}");
                   });
}

std::int64_t number_of(std::string_view text, std::int64_t otherwise, std::int64_t most) {
  std::int64_t number = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return std::clamp<std::int64_t>(number, 1, most);
}

void list_users(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const std::int64_t page = number_of(call->request.query_value("page"), 1, 1'000'000);
  const std::int64_t size = number_of(call->request.query_value("per_page"), 50, 1'000);
  context.transact(std::move(reply), [page, size](Sql& sql) -> Result<HttpResponse> {
    const auto users = sql.value(
        R"(select coalesce(jsonb_agg(app.user_json(u) order by u.created_at desc), '[]')::text
             from (select * from users order by created_at desc, id
                    limit $1::bigint offset $2::bigint) u)",
        {std::to_string(size), std::to_string((page - 1) * size)});
    const auto total = sql.value("select count(*) from users");
    HttpResponse response = json_answer(200, R"({"aud":"authenticated","users":)" + *users + "}");
    response.headers.emplace_back("X-Total-Count", *total);
    return response;
  });
}

/// The account of a link: there already, or new.
std::string invited(Sql& sql,
                    const std::string& email,
                    const std::string& data,
                    const Moment& now) {
  const auto account = find_by_email(sql, email, now);
  return account ? account->id : insert_user(sql, {.email = email, .user_metadata = data}, now);
}

void invite(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  const auto email = body->email();
  if (!email) return reply(auth_problem(400, "validation_failed", email.error().message));
  if (!context.sends_mail()) {
    return reply(auth_problem(
        422, "email_provider_disabled", "this server sends no mail: use admin/generate_link"));
  }
  context.transact(
      std::move(reply),
      [&context,
       email = *email,
       data = body->object("data").value_or("{}"),
       to = std::string(call->request.query_value("redirect_to"))](
          Sql& sql) -> Result<HttpResponse> {
        const Moment now = context.now();
        const std::string id = invited(sql, email, data, now);
        const OneTime made = context.identity().one_time().make(
            sql, {.user = id, .purpose = "invite", .email = email, .lives_s = 86'400}, now);
        const Status mailed = context.mail(made, "invite", email, to);
        if (!mailed) return mailed.error();
        return json_answer(200, user_json(sql, id).value());
      });
}

/// A link for who brings it to the user by other ways than mail.
void generate_link(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  const auto email = body->email();
  const std::string purpose = body->text("type");
  if (!email || (purpose != "invite" && purpose != "magiclink" && purpose != "recovery")) {
    return reply(auth_problem(
        400, "validation_failed", "it wants an email and a type: invite, magiclink or recovery"));
  }
  context.transact(std::move(reply),
                   [&context, email = *email, purpose, data = body->object("data").value_or("{}")](
                       Sql& sql) -> Result<HttpResponse> {
                     const Moment now = context.now();
                     if (purpose != "invite" && !find_by_email(sql, email, now)) return no_user();
                     const std::string id = invited(sql, email, data, now);
                     const OneTime made = context.identity().one_time().make(
                         sql, {.user = id, .purpose = purpose, .email = email}, now);
                     Json json = Json::parse(user_json(sql, id).value());
                     json["action_link"] = context.options().site_url +
                                           "/auth/v1/verify?token=" + made.token +
                                           "&type=" + purpose;
                     json["email_otp"] = made.code;
                     json["hashed_token"] = made.token;
                     json["verification_type"] = purpose;
                     json["redirect_to"] = context.options().site_url;
                     return json_answer(200, json.dump());
                   });
}

/// For who holds the server's own token and wants to come in as a person. The token goes behind
/// the '#' of a page's address, which no server and no log ever gets.
void sign_in_link(AuthContext& context, const CallPtr& /*call*/, HttpReply reply) {
  context.transact(std::move(reply), [&context](Sql& sql) -> Result<HttpResponse> {
    const auto token = invite_owner(sql, context.identity().one_time(), context.now());
    if (!token) return no_user();
    return json_answer(200, Json{{"fragment", "sign-in=" + *token}, {"expires_in", 3600}}.dump());
  });
}

/// Tokens of the old key hold until they expire, unless its row is deleted.
void rotate_keys(AuthContext& context, const CallPtr& /*call*/, HttpReply reply) {
  context.identity().keys().retire();
  reply(json_answer(202, R"({"rotates":"within ten seconds"})"));
}

void key_set(AuthContext& context, const CallPtr& /*call*/, HttpReply reply) {
  HttpResponse response = json_answer(200, context.identity().keys().jwks());
  response.headers = {{"Cache-Control", "public, max-age=600"}};
  reply(std::move(response));
}

void settings(AuthContext& context, const CallPtr& /*call*/, HttpReply reply) {
  const Json json{{"external", {{"email", true}, {"phone", false}, {"anonymous_users", false}}},
                  {"disable_signup", !context.options().sign_up},
                  {"mailer_autoconfirm", !context.sends_mail()},
                  {"phone_autoconfirm", false},
                  {"mfa_enabled", true},
                  {"saml_enabled", false}};
  reply(json_answer(200, json.dump()));
}

void health(AuthContext& /*context*/, const CallPtr& /*call*/, HttpReply reply) {
  reply(json_answer(200,
                    R"({"name":"GoTrue","version":"qylon-)" QYLON_VERSION
                    R"(","description":"Qylon identity"})"));
}

}  // namespace

std::vector<Route> admin_routes(AuthContext& context) {
  const std::string users = "/auth/v1/admin/users";
  return {
      context.route("GET", users, Permission::kService, list_users),
      context.route("POST", users, Permission::kService, edit_user),
      context.route("GET", users + "/{id}", Permission::kService, find_user),
      context.route("PUT", users + "/{id}", Permission::kService, edit_user),
      context.route("DELETE", users + "/{id}", Permission::kService, delete_user),
      context.route("POST", "/auth/v1/invite", Permission::kService, invite),
      context.route("POST", "/auth/v1/admin/generate_link", Permission::kService, generate_link),
      context.route("POST", "/auth/v1/admin/sign_in_link", Permission::kService, sign_in_link),
      context.route("POST", "/auth/v1/admin/rotate_keys", Permission::kService, rotate_keys),
      context.route("GET", "/auth/v1/.well-known/jwks.json", Permission::kOpen, key_set),
      context.route("GET", "/auth/v1/settings", Permission::kOpen, settings),
      context.route("GET", "/auth/v1/health", Permission::kOpen, health)};
}

}  // namespace qylon::api

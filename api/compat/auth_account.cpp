#include <algorithm>
#include <memory>
#include <utility>

#include "api/compat/auth_body.hpp"
#include "api/compat/auth_password.hpp"
#include "api/compat/supabase_auth.hpp"
#include "api/http_answers.hpp"
#include "core/ids.hpp"

namespace qylon::api {
namespace {

using Sql = storage::Sql;

HttpResponse nobody() {
  return auth_problem(403, "user_not_found", "the token names no user of this server");
}

/// What an API key, or a login without the second factor that the user has, may not change.
std::optional<HttpResponse> too_weak(const SignedIn& caller, const Account& account) {
  if (caller.by_key) {
    return auth_problem(403, "no_authorization", "an API key cannot change who may come in");
  }
  if (account.has_second_factor && caller.aal != "aal2") {
    return auth_problem(401, "insufficient_aal", "show your second factor first");
  }
  return std::nullopt;
}

void get_user(AuthContext& context, const CallPtr& call, HttpReply reply) {
  context.transact(std::move(reply),
                   [user = call->principal.user](Sql& sql) -> Result<HttpResponse> {
                     if (user.empty()) return nobody();
                     auto json = user_json(sql, user);
                     return json ? json_answer(200, *std::move(json)) : nobody();
                   });
}

struct Update {
  SignedIn caller;
  UserChange change;
  std::string email;  ///< Wanted; empty: stays.
};

/// Without a mailer an address is believed at once; else it waits for its owner's click.
Result<HttpResponse> change_account(AuthContext& context, Sql& sql, Update update) {
  const Moment now = context.now();
  const auto account = find_by_id(sql, update.caller.user, now);
  if (!account) return nobody();
  const bool is_credential = update.change.password_hash || !update.email.empty();
  if (is_credential) {
    if (auto refusal = too_weak(update.caller, *account)) return *std::move(refusal);
  }
  if (!update.email.empty() && update.email != account->email) {
    if (find_by_email(sql, update.email, now)) {
      return auth_problem(422, "email_exists", "there is an account with this address");
    }
    (context.sends_mail() ? update.change.new_email : update.change.email) = update.email;
    // Before anything changes: a mail that waits would else prove another address than its own.
    if (context.sends_mail() && count_attempt(sql, kMails, update.email, now) > 0) {
      return too_many(kMails.window_s, "over_email_send_rate_limit");
    }
  }
  change_user(sql, account->id, update.change, now);
  if (update.change.new_email) {
    const OneTime made = context.identity().one_time().make(
        sql, {.user = account->id, .purpose = "email_change", .email = update.email}, now);
    const Status mailed = context.mail(made, "email_change", update.email, {});
    if (!mailed) return mailed.error();
  }
  // Who knew the old password is signed out everywhere else.
  if (update.change.password_hash) {
    context.identity().sessions().end(
        sql, account->id, update.caller.session, Sessions::Scope::kOthers, now);
  }
  return json_answer(200, user_json(sql, account->id).value());
}

void put_user(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  auto update = std::make_shared<Update>();
  update->caller = signed_in(call->principal);
  if (update->caller.user.empty()) return reply(nobody());
  update->change.user_metadata = body->object("data");
  if (body->has("email")) {
    const auto email = body->email();
    if (!email) return reply(auth_problem(400, "validation_failed", email.error().message));
    update->email = *email;
  }
  const auto change = [&context, update](HttpReply to) {
    context.transact(std::move(to), [&context, update](Sql& sql) {
      return change_account(context, sql, *update);
    });
  };
  if (!body->has("password")) return change(std::move(reply));
  const std::string password = body->text("password");
  if (auto weak = weak_password(password, update->email)) return reply(*std::move(weak));
  hash_then(context, password, std::move(reply), [update, change](std::string phc, HttpReply to) {
    update->change.password_hash = std::move(phc);
    change(std::move(to));
  });
}

void list_sessions(AuthContext& context, const CallPtr& call, HttpReply reply) {
  context.transact(
      std::move(reply), [caller = signed_in(call->principal)](Sql& sql) -> Result<HttpResponse> {
        const auto list = sql.value(
            R"(select jsonb_build_object('sessions', coalesce(jsonb_agg(jsonb_build_object(
                        'id', id, 'aal', aal, 'user_agent', user_agent, 'address', address,
                        'created_at', created_at, 'refreshed_at', refreshed_at,
                        'current', id = nullif($2, '')::uuid) order by refreshed_at desc), '[]'))
                 from sessions
                where user_id = nullif($1, '')::uuid and revoked_at is null)",
            {caller.user, caller.session});
        return json_answer(200, *list);
      });
}

void end_session(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto id = Uuid::parse(call->captures[0]);
  const SignedIn caller = signed_in(call->principal);
  const auto missing = [] {
    return auth_problem(404, "session_not_found", "there is no such session of yours");
  };
  if (!id || caller.user.empty() || caller.by_key) return reply(missing());
  context.transact(
      std::move(reply),
      [&context, caller, missing, id = id->to_string()](Sql& sql) -> Result<HttpResponse> {
        const auto ended = context.identity().sessions().end(
            sql, caller.user, id, Sessions::Scope::kThis, context.now());
        return ended > 0 ? no_content() : missing();
      });
}

bool is_scope(const Json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return !text.empty() && text.size() <= 40 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos;
}

Result<ApiKeys::Wanted> read_key(const AuthBody& body) {
  ApiKeys::Wanted wanted;
  wanted.name = body.text("name");
  const Json& json = body.json();
  const auto scopes = json.find("scopes");
  if (wanted.name.empty() || scopes == json.end() || !scopes->is_array() || scopes->empty() ||
      scopes->size() > 20 || !std::all_of(scopes->begin(), scopes->end(), is_scope)) {
    return Error{ErrorCode::kInvalidArgument,
                 R"(a key wants {"name":"...","scopes":["read"]}; see docs/PROTOCOL.md)"};
  }
  for (const Json& scope : *scopes)
    wanted.scopes.push_back(scope.get<std::string>());
  if (body.has("org_id")) {
    const auto org = Uuid::parse(body.text("org_id"));
    if (!org) return Error{ErrorCode::kInvalidArgument, "org_id must be a UUID"};
    wanted.org = org->to_string();
  }
  if (body.has("expires_in")) {
    const Json& seconds = json["expires_in"];
    if (!seconds.is_number_integer() || seconds < 60 || seconds > 10LL * 366 * 86'400) {
      return Error{ErrorCode::kInvalidArgument, "expires_in is 60 seconds to ten years"};
    }
    wanted.expires_in_s = seconds.get<std::int64_t>();
  }
  return wanted;
}

void make_key(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto body = AuthBody::parse(call->request);
  if (!body) return reply(problem(body.error()));
  auto wanted = read_key(*body);
  if (!wanted) return reply(problem(wanted.error()));
  const SignedIn caller = signed_in(call->principal);
  if (caller.user.empty()) return reply(nobody());
  wanted->user = caller.user;
  context.transact(
      std::move(reply),
      [&context, caller, wanted = *std::move(wanted)](Sql& sql) -> Result<HttpResponse> {
        const Moment now = context.now();
        const auto account = find_by_id(sql, caller.user, now);
        if (!account) return nobody();
        if (auto refusal = too_weak(caller, *account)) return *std::move(refusal);
        const bool in_org =
            wanted.org.empty() || sql.value(
                                      "select 1 from org_members where org_id = $1::uuid "
                                      "and user_id = $2::uuid",
                                      {wanted.org, caller.user});
        if (!in_org) return problem({ErrorCode::kNotFound, "you are in no such organisation"});
        const auto made = ApiKeys::make(sql, wanted, now);
        // When the commit fails, nobody was told the key that stays in memory until the next load.
        context.identity().api_keys().load(sql, now);
        HttpResponse response = json_answer(201, made.json);
        response.body.insert(1, "\"key\":\"" + made.key + "\",");
        return response;
      });
}

void list_keys(AuthContext& context, const CallPtr& call, HttpReply reply) {
  if (call->principal.user.empty()) return reply(nobody());
  context.transact(std::move(reply), [user = call->principal.user](Sql& sql) {
    return Result<HttpResponse>(json_answer(200, "{\"keys\":" + ApiKeys::list(sql, user) + "}"));
  });
}

void revoke_key(AuthContext& context, const CallPtr& call, HttpReply reply) {
  const auto id = Uuid::parse(call->captures[0]);
  const SignedIn caller = signed_in(call->principal);
  if (!id || caller.user.empty() || caller.by_key) {
    return reply(problem({ErrorCode::kNotFound, "you have no such key"}));
  }
  context.transact(std::move(reply),
                   [&context, caller, id = id->to_string()](Sql& sql) -> Result<HttpResponse> {
                     const Moment now = context.now();
                     if (!ApiKeys::revoke(sql, caller.user, id, now)) {
                       return problem({ErrorCode::kNotFound, "you have no such key"});
                     }
                     context.identity().api_keys().load(sql, now);
                     return no_content();
                   });
}

}  // namespace

std::vector<Route> account_routes(AuthContext& context) {
  return {context.route("GET", "/auth/v1/user", Permission::kUser, get_user),
          context.route("PUT", "/auth/v1/user", Permission::kUser, put_user),
          context.route("GET", "/auth/v1/sessions", Permission::kUser, list_sessions),
          context.route("DELETE", "/auth/v1/sessions/{id}", Permission::kUser, end_session),
          context.route("GET", "/api/keys", Permission::kUser, list_keys),
          context.route("POST", "/api/keys", Permission::kUser, make_key),
          context.route("DELETE", "/api/keys/{id}", Permission::kUser, revoke_key)};
}

}  // namespace qylon::api

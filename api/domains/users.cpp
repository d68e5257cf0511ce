/// What people say about themselves and how they like things; who they are is api/identity's.

#include "api/core/sql_answer.hpp"
#include "api/domains/domains.hpp"

namespace qylon::api {
namespace {

constexpr const char* kNoUser = "the server's own token is no user";

HttpResponse me(const Call& call, storage::Session& session);
HttpResponse change_profile(const Call& call, storage::Session& session);
HttpResponse put_preference(const Call& call, storage::Session& session);
HttpResponse analytics(const Call& call, storage::Session& session);

// --- Entities ---

Entity profiles() {
  return Entity("user_profiles")
      .owner()
      .keyed({"user_id"})
      .emits("user_profile")
      .text("display_name")
      .personal()
      .max(200)
      .text("job_title")
      .personal()
      .max(200)
      .text("avatar_url")
      .personal()
      .max(2000)
      .text("locale")
      .max(35)
      .text("time_zone")
      .max(100);
}

Entity preferences() {
  return Entity("user_preferences")
      .owner()
      .text("name")
      .required()
      .max(100)
      .document("value")
      .required()
      .unique({"name"});
}

// --- Routes ---

std::vector<Operation> routes() {
  return {{.method = "GET",
           .path = "/api/users/me",
           .summary = "The caller: address, profile, preferences and organisations.",
           .permission = Permission::kRead,
           .handler = me},
          {.method = "PATCH",
           .path = "/api/users/me",
           .summary = "Changes what is given of the caller's profile.",
           .body = profiles().fields(),
           .handler = change_profile},
          {.method = "PUT",
           .path = "/api/users/me/preferences/{name}",
           .summary = "Stores one of the caller's preferences.",
           .body = Entity("").document("value").required().fields(),
           .returns = "user_preferences",
           .handler = put_preference},
          {.method = "GET",
           .path = "/api/users/analytics",
           .summary = "How many users there are, who of them came lately, and their sessions.",
           .permission = Permission::kService,
           .handler = analytics}};
}

// --- Handlers ---

HttpResponse me(const Call& call, storage::Session& session) {
  return sql_answer(call,
                    session,
                    {"select jsonb_build_object('id', auth.uid(), 'email', auth.email(),"
                     " 'profile', coalesce((select to_jsonb(p) - 'user_id' from user_profiles p"
                     "   where p.user_id = auth.uid()), '{}'),"
                     " 'preferences', (select coalesce(jsonb_object_agg(p.name, p.value), '{}')"
                     "   from user_preferences p where p.user_id = auth.uid()),"
                     " 'organisations', app.my_organisations()) where auth.uid() is not null",
                     {}},
                    kNoUser);
}

HttpResponse change_profile(const Call& call, storage::Session& session) {
  std::string names;
  std::string changes;
  const Entity entity = profiles();
  for (const Field& field : entity.fields()) {
    names += ", " + field.name;
    changes += (changes.empty() ? "" : ", ") + field.name + " = case when $1::jsonb ? '" +
               field.name + "' then excluded." + field.name + " else t." + field.name + " end";
  }
  return sql_answer(call,
                    session,
                    {"insert into user_profiles as t (user_id" + names + ") select auth.uid()" +
                         names + " from jsonb_populate_record(null::user_profiles, $1::jsonb) r" +
                         " where auth.uid() is not null on conflict (user_id) do update set " +
                         changes + " returning (to_jsonb(t) - 'user_id')::text",
                     {call.request.body}},
                    kNoUser);
}

HttpResponse put_preference(const Call& call, storage::Session& session) {
  return sql_answer(call,
                    session,
                    {"insert into user_preferences as t (name, value)"
                     " select $1, $2::jsonb -> 'value' where auth.uid() is not null"
                     " on conflict (user_id, name) do update set value = excluded.value"
                     " returning to_jsonb(t)::text",
                     {call.captures.at(0), call.request.body}},
                    kNoUser);
}

HttpResponse analytics(const Call& call, storage::Session& session) {
  return sql_answer(
      call,
      session,
      {"select jsonb_build_object('users', (select jsonb_build_object('all', count(*),"
       "  'confirmed', count(email_confirmed_at),"
       "  'new_30d', count(*) filter (where created_at > now() - interval '30 days'),"
       "  'signed_in_1d', count(*) filter (where last_sign_in_at > now() - interval '1 day'),"
       "  'signed_in_30d', count(*) filter (where last_sign_in_at > now() - interval '30 days'),"
       "  'second_factor', count(*) filter (where exists (select from mfa_factors f"
       "    where f.user_id = u.id and f.factor_type = 'totp' and f.status = 'verified')))"
       " from users u),"
       " 'sessions', (select jsonb_build_object('open', count(*),"
       "  'refreshed_1h', count(*) filter (where refreshed_at > now() - interval '1 hour'),"
       "  'opened_1d', count(*) filter (where created_at > now() - interval '1 day'),"
       "  'second_factor', count(*) filter (where aal = 'aal2'),"
       "  'mean_s', coalesce(extract(epoch from avg(refreshed_at - created_at)), 0),"
       "  'by_method', (select coalesce(jsonb_object_agg(method, n), '{}') from"
       "   (select amr -> 0 ->> 'method' as method, count(*) as n from sessions"
       "     where revoked_at is null group by 1) m))"
       " from sessions where revoked_at is null))::text",
       {}},
      "");
}

}  // namespace

Domain users_domain() {
  return {.name = "users", .entities = {profiles(), preferences()}, .operations = routes()};
}

}  // namespace qylon::api

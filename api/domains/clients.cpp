/// Clients of an organisation: who looks after them, how they are doing, and how they come aboard.

#include <string_view>

#include "api/core/sql_answer.hpp"
#include "api/core/validate.hpp"
#include "api/domains/domains.hpp"
#include "api/http_answers.hpp"

namespace qylon::api {
namespace {

using storage::Sql;

HttpResponse read_metrics(const Call& call, storage::Session& session);
HttpResponse start_onboarding(const Call& call, storage::Session& session);
HttpResponse read_onboarding(const Call& call, storage::Session& session);
std::vector<SagaStep> onboarding_steps();

// --- Entities ---

Entity clients() {
  return Entity("clients")
      .organisation()
      .emits("client")
      .text("name")
      .required()
      .max(255)
      .email("email")
      .personal()
      .max(320)
      .text("company")
      .max(255)
      .text("status")
      .required()
      .one_of({"lead", "onboarding", "active", "paused", "archived"})
      .by_default("'lead'")
      .document("settings")
      .required()
      .by_default("'{}'")
      .text("notes")
      .max(10'000)
      .text("onboarding")
      .required()
      .read_only()
      .one_of({"none", "running", "done", "failed"})
      .by_default("'none'")
      .text("onboarding_error")
      .read_only()
      .check("settings_object", "jsonb_typeof(settings) = 'object'")
      .index({"status"});
}

/// Only members of the organisation look after its clients; who leaves it leaves them.
Entity team_members() {
  return Entity("client_team_members")
      .organisation()
      .emits("client_team_member")
      .reference("client_id", "clients")
      .required()
      .uuid("user_id")
      .required()
      .text("role")
      .required()
      .one_of({"lead", "manager", "member"})
      .by_default("'member'")
      .unique({"client_id", "user_id"})
      .index({"user_id"})
      .foreign({"org_id", "user_id"}, "org_members", {"org_id", "user_id"});
}

Entity metrics() {
  return Entity("client_metrics")
      .append()
      .monthly(1100)
      .reference("client_id", "clients")
      .required()
      .text("name")
      .required()
      .max(100)
      .number("value")
      .required()
      .time("measured_at")
      .required()
      .by_default("now()")
      .index({"client_id", "name", "measured_at"});
}

Entity onboarding_tasks() {
  return Entity("client_onboarding_tasks")
      .organisation()
      .reference("client_id", "clients")
      .required()
      .text("title")
      .required()
      .max(300)
      .flag("done")
      .required()
      .by_default("false");
}

// --- Routes ---

std::vector<Operation> routes() {
  return {
      {.method = "GET",
       .path = "/api/clients/{id}/metrics",
       .summary = "A client's metrics by period: count, sum, mean, least, most and latest value.",
       .permission = Permission::kRead,
       .query = Entity("")
                    .text("name")
                    .time("from")
                    .time("to")
                    .text("every")
                    .one_of({"hour", "day", "week", "month"})
                    .fields(),
       .handler = read_metrics},
      {.method = "POST",
       .path = "/api/clients/{id}/onboarding",
       .summary = "Begins a client's onboarding; whatever fails takes back what was done.",
       .body = Entity("").document("team").document("settings").texts("tasks").max(50).fields(),
       .returns = "clients",
       .status = 202,
       .handler = start_onboarding},
      {.method = "GET",
       .path = "/api/clients/{id}/onboarding",
       .summary = "How far a client's onboarding is.",
       .permission = Permission::kRead,
       .handler = read_onboarding}};
}

// --- Handlers ---

HttpResponse read_metrics(const Call& call, storage::Session& session) {
  const auto given = [&call](std::string_view name) -> storage::SqlValue {
    const std::string_view value = call.request.query_value(name);
    return value.empty() ? storage::SqlValue{} : storage::SqlValue{std::string(value)};
  };
  const auto from = given("from");
  const auto to = given("to");
  const std::string every = given("every").value_or("day");
  if ((from && !is_date_time(*from)) || (to && !is_date_time(*to)))
    return problem(
        {ErrorCode::kInvalidArgument, "from and to must be times such as 2026-11-21T18:41:10Z"});
  if (every != "hour" && every != "day" && every != "week" && every != "month")
    return problem({ErrorCode::kInvalidArgument, "every must be hour, day, week or month"});
  return sql_answer_about(
      call,
      session,
      "clients",
      {"select (select jsonb_build_object('items', coalesce(jsonb_agg(to_jsonb(m)), '[]'))"
       " from (select name, date_trunc($5, measured_at, 'UTC') as period, count(*), sum(value),"
       "   avg(value), min(value), max(value),"
       "   (array_agg(value order by measured_at desc, id))[1] as last"
       "  from client_metrics where client_id = c.id and ($2::text is null or name = $2)"
       "   and measured_at >= coalesce($3::timestamptz, now() - interval '90 days')"
       "   and measured_at < coalesce($4::timestamptz, 'infinity')"
       "  group by 1, 2 order by 1, 2 limit 1000) m)::text from clients c where c.id = $1::uuid",
       {given("name"), from, to, every}});
}

/// The caller must be able to change the client; the saga then works as the server.
HttpResponse start_onboarding(const Call& call, storage::Session& session) {
  const Error missing{ErrorCode::kNotFound, "there is no such row of clients"};
  if (!is_uuid(call.captures.at(0))) return problem(missing);
  std::vector<storage::SqlRow> rows;
  const Status ran = session.transact_as(call.principal, [&](pqxx::transaction_base& transaction) {
    rows =
        Sql(transaction)
            .rows(
                "with begun as (update clients set onboarding = 'running', onboarding_error = null"
                "  where id = $1::uuid and onboarding <> 'running' returning *),"
                " saga as (select app.start_saga('client.onboarding',"
                "  $2::jsonb || jsonb_build_object('client', id), org_id) from begun)"
                " select to_jsonb(begun)::text, c.onboarding from clients c"
                " left join (begun cross join saga) on true where c.id = $1::uuid",
                {call.captures[0], call.request.body});
    return ok();
  });
  if (!ran) return problem(ran.error());
  if (rows.empty()) return problem(missing);
  if (rows[0][0]) return json_answer(202, *rows[0][0]);
  if (rows[0][1] == "running")
    return problem({ErrorCode::kConflict, "the client is being onboarded already"});
  return problem({ErrorCode::kForbidden, "your role may read this client and not change it"});
}

HttpResponse read_onboarding(const Call& call, storage::Session& session) {
  return sql_answer_about(
      call,
      session,
      "clients",
      {"select jsonb_build_object('state', c.onboarding, 'error', c.onboarding_error,"
       " 'tasks', (select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'title', t.title,"
       "   'done', t.done) order by t.created_at, t.id), '[]') from client_onboarding_tasks t"
       "   where t.client_id = c.id))::text from clients c where c.id = $1::uuid",
       {}});
}

// --- The onboarding's steps: rows only, so each is done once. `data` remembers what to take back.

/// The saga's new data, which the statement gives for (its data, its organisation).
Result<std::string> step(Sql& sql, const SagaView& saga, std::string_view statement) {
  const auto data = sql.value(statement, {saga.data, saga.org});
  if (!data) return Error{ErrorCode::kNotFound, "the client is no more"};
  return *data;
}

Result<std::string> begin(Sql& sql, const SagaView& saga) {
  return step(sql,
              saga,
              "with old as (select id, org_id, status, settings from clients"
              "  where id = ($1::jsonb ->> 'client')::uuid and org_id = $2::uuid for update),"
              " changed as (update clients c set status = 'onboarding' from old"
              "  where c.org_id = old.org_id and c.id = old.id)"
              " select ($1::jsonb || jsonb_build_object('old_status', status, 'old_settings',"
              "  settings))::text from old");
}
Status undo_begin(Sql& sql, const SagaView& saga) {
  sql.run(
      "update clients c set status = $1::jsonb ->> 'old_status', onboarding = 'failed',"
      " onboarding_error = s.error from sagas s where s.id = $3::uuid"
      " and c.id = ($1::jsonb ->> 'client')::uuid and c.org_id = $2::uuid",
      {saga.data, saga.org, saga.id});
  return ok();
}

Result<std::string> apply_settings(Sql& sql, const SagaView& saga) {
  return step(sql,
              saga,
              "with changed as (update clients set settings = settings"
              "   || coalesce($1::jsonb -> 'settings', '{}')"
              "  where id = ($1::jsonb ->> 'client')::uuid and org_id = $2::uuid returning id)"
              " select $1::jsonb::text from changed");
}
Status undo_settings(Sql& sql, const SagaView& saga) {
  sql.run(
      "update clients set settings = $1::jsonb -> 'old_settings'"
      " where id = ($1::jsonb ->> 'client')::uuid and org_id = $2::uuid",
      {saga.data, saga.org});
  return ok();
}

Result<std::string> add_tasks(Sql& sql, const SagaView& saga) {
  return step(sql,
              saga,
              "with added as (insert into client_onboarding_tasks (org_id, client_id, title,"
              "   created_at) select $2::uuid, ($1::jsonb ->> 'client')::uuid, title,"
              "   now() + nr * interval '1 microsecond'"
              "  from jsonb_array_elements_text(coalesce($1::jsonb -> 'tasks',"
              "   '[\"Kick-off meeting\", \"Access and integrations\", \"Goals and metrics\"]'))"
              "   with ordinality as t(title, nr) returning id)"
              " select ($1::jsonb || jsonb_build_object('added_tasks',"
              "  coalesce(jsonb_agg(id), '[]')))::text from added");
}
Status undo_tasks(Sql& sql, const SagaView& saga) {
  sql.run(
      "delete from client_onboarding_tasks where org_id = $2::uuid"
      " and $1::jsonb -> 'added_tasks' ? id::text",
      {saga.data, saga.org});
  return ok();
}

/// Refused where somebody is no member of the organisation.
Result<std::string> add_team(Sql& sql, const SagaView& saga) {
  return step(sql,
              saga,
              "with added as (insert into client_team_members (org_id, client_id, user_id, role)"
              "  select $2::uuid, ($1::jsonb ->> 'client')::uuid, (m ->> 'user_id')::uuid,"
              "   coalesce(m ->> 'role', 'member')"
              "  from jsonb_array_elements(coalesce($1::jsonb -> 'team', '[]')) m"
              "  on conflict do nothing returning id)"
              " select ($1::jsonb || jsonb_build_object('added_team',"
              "  coalesce(jsonb_agg(id), '[]')))::text from added");
}
Status undo_team(Sql& sql, const SagaView& saga) {
  sql.run(
      "delete from client_team_members where org_id = $2::uuid"
      " and $1::jsonb -> 'added_team' ? id::text",
      {saga.data, saga.org});
  return ok();
}

Result<std::string> finish(Sql& sql, const SagaView& saga) {
  return step(sql,
              saga,
              "with changed as (update clients set status = 'active', onboarding = 'done'"
              "  where id = ($1::jsonb ->> 'client')::uuid and org_id = $2::uuid returning id)"
              " select $1::jsonb::text from changed");
}

std::vector<SagaStep> onboarding_steps() {
  return {{.name = "begin", .run = begin, .undo = undo_begin, .tries_max = 100},
          {.name = "settings", .run = apply_settings, .undo = undo_settings},
          {.name = "tasks", .run = add_tasks, .undo = undo_tasks},
          {.name = "team", .run = add_team, .undo = undo_team},
          {.name = "finish", .run = finish}};
}

}  // namespace

Domain clients_domain() {
  return {.name = "clients",
          .entities = {clients(), team_members(), metrics(), onboarding_tasks()},
          .operations = routes(),
          .sagas = {{"client.onboarding", onboarding_steps()}}};
}

}  // namespace qylon::api

// The numbered migrations make exactly what the domains declare, and nothing that the lints name.

#include <gtest/gtest.h>

#include "api/core/schema_diff.hpp"
#include "api/core/schema_lints.hpp"
#include "api/domains/domains.hpp"
#include "storage/meeting_store.hpp"
#include "storage/pg_connection.hpp"
#include "storage/sql.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

using storage::Sql;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();
const SystemClock kClock;
const Log kLog(kClock, LogLevel::kError);

std::unique_ptr<storage::PgConnection> connect(const std::string& url) {
  storage::PgConnection::Settings settings;
  settings.url = url;
  auto connected = storage::PgConnection::connect(settings, kLog);
  EXPECT_TRUE(connected) << connected.error().message;
  return *std::move(connected);
}
std::unique_ptr<storage::PgConnection> owner() {
  return connect(kDatabase->owner_url());
}

void run_script(storage::PgConnection& connection, const std::string& script) {
  const Status status = connection.transact([&](pqxx::transaction_base& transaction) {
    Sql(transaction).run_script(script);
    return ok();
  });
  EXPECT_TRUE(status) << status.error().message << " in " << script;
}

std::vector<std::string> problems_of(storage::PgConnection& connection) {
  const auto problems = lint_schema(connection);
  EXPECT_TRUE(problems) << problems.error().message;
  return problems ? *problems : std::vector<std::string>{};
}

/// Connection string of a new database that `owner` owns, as `owner`.
std::string new_database(const std::string& name, const std::string& owner_name) {
  EXPECT_TRUE(owner()->run_alone([&](pqxx::transaction_base& transaction) {
    Sql(transaction).run_script("create database " + name + " owner " + owner_name);
    return ok();
  }));
  std::string url = kDatabase->owner_url();
  const std::string_view was = "dbname=qylon";
  return url.replace(
      url.find(was), was.size(), "dbname=" + name + " options='-c role=" + owner_name + "'");
}

/// A schema's diff after `change`, which is taken back by `undo`.
SchemaDiff diff_after(const std::string& change, const std::string& undo) {
  const auto connection = owner();
  run_script(*connection, change);
  const auto diff = diff_schema(all_domains(), *connection);
  run_script(*connection, undo);
  EXPECT_TRUE(diff) << diff.error().message;
  return diff ? *diff : SchemaDiff{};
}

TEST(Migrations, MakeWhatTheDomainsDeclare) {
  const auto diff = diff_schema(all_domains(), *owner());
  ASSERT_TRUE(diff) << diff.error().message;
  EXPECT_EQ(diff->sql(), "");
  EXPECT_TRUE(diff->refused.empty()) << diff->refused.front();
}

TEST(Migrations, MakeTheSameForAnOwnerThatIsNoSuperuser) {
  run_script(*owner(),
             "create role modest login createrole;"
             "grant anon, authenticated, service_role to modest;");
  const std::string url = new_database("modest", "modest");
  const auto report = storage::migrate(url, kLog);
  ASSERT_TRUE(report) << report.error().message;
  const auto modest = connect(url);
  const auto diff = diff_schema(all_domains(), *modest);
  ASSERT_TRUE(diff) << diff.error().message;
  EXPECT_EQ(diff->sql(), "");
  // app.org() works as that owner, whom row security binds.
  run_script(*modest,
             "insert into org_members (org_id, user_id, role) values"
             " (app.default_org(), '11111111-2222-4333-8444-555555555555', 'viewer')");
  const Status status = modest->transact_as(
      {.role = "authenticated",
       .user = {},
       .claims = R"({"sub":"11111111-2222-4333-8444-555555555555",)"
                 R"("active_org":"00000000-0000-4000-8000-000000000001"})"},
      [](pqxx::transaction_base& transaction) {
        EXPECT_EQ(Sql(transaction).value("select app.can('read') and not app.can('write')"), "t");
        EXPECT_EQ(Sql(transaction).value("select name from orgs"), "Default");
        return ok();
      });
  EXPECT_TRUE(status) << status.error().message;
}

constexpr const char* kOldMeeting = "99999999-0000-4000-8000-000000000001";

/// What the release before wrote, in its own words.
std::string old_rows(const std::string& offset) {
  return "insert into utterances (meeting, caption_offset, segment, revision, track, start_ms,"
         " end_ms, speaker_key, speaker_confidence, text, confidence, language, engine) values ('" +
         std::string(kOldMeeting) + "', " + offset +
         ", 1, 1, 0, 0, 5, '', 0, 'Hello', 1, 'en', 'test');"
         "insert into words (meeting, caption_offset, position, text, start_ms, end_ms, confidence)"
         " values ('" +
         kOldMeeting + "', " + offset + ", 0, 'Hello', 0, 5, 1)";
}

TEST(Migrations, CarryThePreviousReleasesRowsAlong) {
  run_script(*owner(),
             "create role before login createrole; grant anon, authenticated,"
             " service_role to before");
  const std::string url = new_database("before", "before");
  ASSERT_TRUE(storage::migrate(url, storage::embedded_migrations().first(2), kLog));
  const auto before = connect(url);
  run_script(*before,
             "insert into meetings (id, epoch, title) values ('" + std::string(kOldMeeting) +
                 "', gen_random_uuid(), 'Old');" + old_rows("1"));
  const auto report = storage::migrate(url, kLog);
  ASSERT_TRUE(report) << report.error().message;
  const auto diff = diff_schema(all_domains(), *before);
  ASSERT_TRUE(diff) << diff.error().message;
  EXPECT_EQ(diff->sql(), "");
  const Status read = before->transact_as(Principal::service(), [](pqxx::transaction_base& body) {
    EXPECT_EQ(Sql(body).value("select count(*) from words natural join utterances"
                              " where org_id = app.default_org()"),
              "1");
    return ok();
  });
  EXPECT_TRUE(read) << read.error().message;
}

TEST(Migrations, LetThePreviousReleaseWriteOn) {
  // It works as qylon_app itself, and takes on no other role.
  const auto previous = connect(kDatabase->url());
  run_script(*previous,
             "insert into meetings (id, epoch, title) values ('" + std::string(kOldMeeting) +
                 "', gen_random_uuid(), 'Old');"
                 "insert into speakers (meeting, key, name, provenance) values ('" +
                 kOldMeeting + "', 's1', 'Ann', 'track') on conflict (meeting, key) do nothing;" +
                 old_rows("7") + ";update meetings set state = 'live' where id = '" + kOldMeeting +
                 "'");
  const Status read =
      kDatabase->transact_as(Principal::service(), [](pqxx::transaction_base& transaction) {
        EXPECT_EQ(Sql(transaction)
                      .value("select count(*) from words natural join utterances"
                             " where caption_offset = 7 and org_id = app.default_org()"),
                  "1");
        return ok();
      });
  EXPECT_TRUE(read) << read.error().message;
  const auto captions = kDatabase->run<Result<std::vector<Caption>>>([](storage::Session& session) {
    return storage::load_captions(session, MeetingId::parse(kOldMeeting).value(), 0, 10);
  });
  ASSERT_TRUE(captions) << captions.error().message;
  ASSERT_EQ(captions->front().words.size(), 1U);
  EXPECT_EQ(captions->front().words.front().text, "Hello");
  EXPECT_EQ(captions->front().words.front().end_ms, 5);
}

TEST(SchemaDiff, BringsBackWhatSomebodyRemoved) {
  const SchemaDiff diff =
      diff_after("drop policy orgs_select on orgs; alter table orgs no force row level security",
                 "alter table orgs force row level security;"
                 "create policy orgs_select on orgs for select to authenticated using"
                 " (id = any ((select app.orgs())::uuid[]) and (select app.scoped('read')))");
  ASSERT_EQ(diff.statements.size(), 2U) << diff.sql();
  EXPECT_EQ(diff.statements[0],
            "alter table orgs enable row level security, force row level security");
  EXPECT_TRUE(diff.statements[1].starts_with("create policy orgs_select on orgs for select"));
}

TEST(SchemaDiff, TakesAwayWhatNobodyDeclared) {
  const SchemaDiff diff =
      diff_after("grant select on orgs to anon", "revoke all on orgs from anon");
  EXPECT_EQ(diff.sql(), "revoke all on orgs from anon;\n");
}

TEST(SchemaDiff, NeverDropsAColumnUnasked) {
  const SchemaDiff diff =
      diff_after("alter table orgs add column motto text", "alter table orgs drop column motto");
  EXPECT_TRUE(diff.statements.empty()) << diff.sql();
  ASSERT_EQ(diff.refused.size(), 1U);
  EXPECT_EQ(diff.refused[0],
            "column orgs.motto is not declared; say .dropped(\"motto\") or "
            ".renamed_from(\"motto\")");
}

TEST(SchemaDiff, RenamesAndDropsWhatTheDeclarationSays) {
  const auto connection = owner();
  const auto make = [](Entity entity) {
    return std::vector<Domain>{{"plants", {std::move(entity)}}};
  };
  std::string script;
  for (const std::string& statement :
       schema_statements(make(Entity("plants").service().text("kind").text("colour"))))
    script += statement + ";";
  run_script(*connection, script);
  const auto diff = diff_schema(
      make(Entity("plants").service().text("species").renamed_from("kind").dropped("colour")),
      *connection);
  ASSERT_TRUE(diff) << diff.error().message;
  EXPECT_EQ(diff->sql(),
            "alter table plants rename column kind to species;\n"
            "alter table plants drop column colour;\n");
  run_script(*connection, "drop table plants");
}

TEST(SchemaLints, FindNothingInTheMigrations) {
  for (const std::string& problem : problems_of(*owner()))
    ADD_FAILURE() << problem;
}

TEST(SchemaLints, NameEachFault) {
  const auto connection = owner();
  run_script(*connection, R"(
    create table bad_keys (org uuid references orgs (id));
    create table bad_rows (user_id uuid);
    alter table bad_rows enable row level security, force row level security;
    create policy first on bad_rows for select to authenticated using (user_id = auth.uid());
    create policy second on bad_rows for select to authenticated using (true);
    create policy third on bad_rows for delete to authenticated
      using ((select auth.jwt()) #>> '{user_metadata,admin}' = 'true');
    create table bad_none (id uuid);
    alter table bad_none enable row level security, force row level security;
    grant select on bad_none to public;
    create table bad_months (at timestamptz) partition by range (at);
    create table bad_months_default partition of bad_months default;
    grant select on bad_months_default to authenticated;
    create view bad_view as select 1 as one;
    create function app.bad() returns integer language sql as 'select 1';)");
  const std::vector<std::string> problems = problems_of(*connection);
  run_script(*connection,
             "drop function app.bad(); drop view bad_view;"
             "drop table bad_keys, bad_rows, bad_none, bad_months");
  const std::vector<std::string> expected{
      "app.bad() takes its caller's search_path",
      "bad_keys has row security off or not forced",
      "bad_keys.bad_keys_org_fkey is a foreign key without an index",
      "bad_months has row security off or not forced",
      "bad_months_default has a grant of its own, and is a partition",
      "bad_months_default has row security off or not forced",
      "bad_none has a grant to everybody",
      "bad_none has row security and no policy",
      "bad_rows has several policies for SELECT to authenticated",
      "bad_rows.first calls a function once a row; write (select f())",
      "bad_rows.second lets callers at every row",
      "bad_rows.third reads user_metadata, which users write",
      "bad_view is a view that works as its owner; say security_invoker"};
  EXPECT_EQ(problems, expected);
}

TEST(Months, AreMadeAheadAndDroppedWhenTheirLastRowIsTooOld) {
  const auto connection = owner();
  std::string script;
  const std::vector<Domain> domains{
      {"log", {Entity("entries").service().monthly(30).text("line")}}};
  for (const std::string& statement : schema_statements(domains))
    script += statement + ";";
  run_script(*connection, script);
  const Status status = connection->transact([&](pqxx::transaction_base& transaction) {
    Sql sql(transaction);
    sql.run_script("select app.roll_months('entries', 30, '2031-03-15')");
    sql.run_script(
        "insert into entries (line, created_at) values ('old', '2031-02-10'),"
        " ('new', '2031-04-10'), ('far', '2099-01-01')");
    // February ends on 1 March; 30 days later is 31 March.
    EXPECT_EQ(sql.value("select app.roll_months('entries', 30, '2031-03-31')"), "0");
    EXPECT_NE(sql.value("select app.roll_months('entries', 30, '2031-04-01')"), "0");
    const auto lines = sql.rows("select line, tableoid::regclass from entries order by 1");
    EXPECT_EQ(
        lines,
        (std::vector<storage::SqlRow>{{"far", "entries_default"}, {"new", "entries_203104"}}));
    return Status(Error{ErrorCode::kConflict, "rolled back"});
  });
  run_script(*connection, "drop table entries");
}

}  // namespace
}  // namespace qylon::api

// Users, organisations and clients over their routes, with the jobs and sagas behind them.

#include <gtest/gtest.h>

#include "api/core/domain_jobs.hpp"
#include "api/domains/domains.hpp"
#include "tests/support/json_calls.hpp"
#include "tests/support/polling.hpp"

namespace qylon::api {
namespace {

using Json = test::JsonCalls::Json;
using From = test::JsonCalls::From;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

/// An organisation of each test's own, with an owner and a user.
class DomainTest : public testing::Test, protected test::JsonCalls {
 protected:
  DomainTest()
      : JsonCalls(*kDatabase, all_domains()),
        org_(test::random_uuid()),
        owner_{test::make_member(*kDatabase, org_, "owner"), org_},
        user_{test::make_member(*kDatabase, org_, "user"), org_} {}

  /// Types of the organisation's events about `noun`, in order.
  std::vector<std::string> events_of(const std::string& noun) const {
    std::vector<std::string> types;
    EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
      for (const auto& row : storage::Sql(tx).rows(
               "select type from events where org_id = $1 and type like $2 || '.%' order by pos",
               {org_, noun}))
        types.push_back(row[0].value_or(""));
      return ok();
    }));
    return types;
  }

  const std::string org_;
  const From owner_;
  const From user_;
};

/// With a runner that does what the domains leave for later.
class DomainJobsTest : public DomainTest {
 protected:
  DomainJobsTest() {
    EXPECT_TRUE(add_domain_jobs(all_domains(), {kDatabase->pool(), sagas_, runner_}));
    runner_.start();
  }
  /// Waits until the client's onboarding is in `state`; what it says then.
  Json onboarded(const std::string& client, const std::string& state) {
    Json onboarding;
    EXPECT_TRUE(test::poll_until([&] {
      onboarding = ask(200, owner_, "GET", "/api/clients/" + client + "/onboarding");
      return onboarding["state"] == state;
    })) << onboarding.dump();
    return onboarding;
  }

  SystemClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  Sagas sagas_{kDatabase->pool()};
  JobRunner runner_{{.poll_ms = 20}, {kDatabase->pool(), clock_, log_, counters_}};
};

using Users = DomainTest;
using Orgs = DomainTest;
using Clients = DomainTest;
using Onboarding = DomainJobsTest;

TEST_F(Users, AndTheirSessionsAreCountedForOperators) {
  const Json before = ask(200, {"service"}, "GET", "/api/users/analytics");
  EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
    storage::Sql(tx).run(
        "with u as (insert into users (id, email, created_at, last_sign_in_at) values"
        "  (gen_random_uuid(), $1 || '@a.example', now(), now()),"
        "  (gen_random_uuid(), $1 || '@b.example', now() - interval '40 days', null) returning id)"
        " insert into sessions (user_id, aal, amr, created_at, refreshed_at, revoked_at)"
        " select id, 'aal2', '[{\"method\":\"otp\"}]', now() - interval '2 hours', now(), r"
        " from u, (values (null::timestamptz), (now())) v (r)",
        {test::random_uuid()});
    return ok();
  }));
  const Json after = ask(200, {"service"}, "GET", "/api/users/analytics");
  const auto grown = [&](const char* part, const char* name) {
    return after[part][name].get<int>() - before[part][name].get<int>();
  };
  EXPECT_EQ(grown("users", "all"), 2);
  EXPECT_EQ(grown("users", "new_30d"), 1);
  EXPECT_EQ(grown("users", "signed_in_1d"), 1);
  EXPECT_EQ(grown("users", "second_factor"), 0);
  EXPECT_EQ(grown("sessions", "open"), 2);
  EXPECT_EQ(grown("sessions", "refreshed_1h"), 2);
  EXPECT_EQ(grown("sessions", "second_factor"), 2);
  EXPECT_EQ(after["sessions"]["by_method"]["otp"], 2);
  EXPECT_EQ(after["sessions"]["mean_s"], 7200.0);
  ask(403, owner_, "GET", "/api/users/analytics");
}

TEST_F(Users, HaveAProfileWhoseNamedMembersChange) {
  ask(200, user_, "PATCH", "/api/users/me", {{"display_name", "Ann"}, {"locale", "en-GB"}});
  ask(200, user_, "PATCH", "/api/users/me", {{"display_name", "Ann Lee"}});
  const Json me = ask(200, user_, "GET", "/api/users/me");
  EXPECT_EQ(me["id"], user_.token);
  EXPECT_EQ(me["profile"]["display_name"], "Ann Lee");
  EXPECT_EQ(me["profile"]["locale"], "en-GB");
  EXPECT_EQ(me["organisations"][0]["role"], "user");
  EXPECT_EQ(me["organisations"][0]["active"], true);
  ask(400, user_, "PATCH", "/api/users/me", {{"user_id", owner_.token}});
}

TEST_F(Users, HavePreferencesOfTheirOwn) {
  const Json dark{{"value", {{"theme", "dark"}}}};
  ask(200, user_, "PUT", "/api/users/me/preferences/look", dark);
  ask(200, user_, "PUT", "/api/users/me/preferences/look", {{"value", {{"theme", "light"}}}});
  EXPECT_EQ(ask(200, user_, "GET", "/api/users/me")["preferences"]["look"]["theme"], "light");
  EXPECT_EQ(ask(200, owner_, "GET", "/api/users/me")["preferences"], Json::object());
  EXPECT_EQ(ask(200, owner_, "GET", "/api/user_preferences")["items"], Json::array());
  ask(404, {"service"}, "PUT", "/api/users/me/preferences/look", dark);
}

TEST_F(Orgs, AreMadeByAUserWhoOwnsThem) {
  const Json made = ask(201, user_, "POST", "/api/orgs", {{"name", "Mine"}});
  const From there{user_.token, made["id"]};
  EXPECT_EQ(ask(200, there, "GET", "/api/orgs/members")["items"][0]["role"], "owner");
  // The header switches; without it the token's organisation counts.
  EXPECT_EQ(ask(200, user_, "GET", "/api/users/me")["organisations"].size(), 2U);
  ask(200, there, "PATCH", "/api/orgs/" + std::string(made["id"]), {{"name", "Ours"}});
  ask(403, user_, "PATCH", "/api/orgs/" + org_, {{"name", "Ours"}});
  ask(403, {"service"}, "POST", "/api/orgs", {{"name", "Nobody's"}});
}

TEST_F(Orgs, AreSwitchedForTheTokensToCome) {
  EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
    storage::Sql(tx).run(
        "insert into users (id, email) values ($1::uuid, $1::uuid || '@example.org')",
        {user_.token});
    return ok();
  }));
  const Json made = ask(201, user_, "POST", "/api/orgs", {{"name", "Mine"}});
  const std::string mine = made["id"];
  EXPECT_EQ(ask(200, user_, "POST", "/api/users/me/switch/" + mine)["org_id"], mine);
  EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
    EXPECT_EQ(storage::Sql(tx).value("select app_metadata ->> 'org_id' from users where id = $1",
                                     {user_.token}),
              mine);
    return ok();
  }));
  ask(404, owner_, "POST", "/api/users/me/switch/" + mine);
  ask(404, {"service"}, "POST", "/api/users/me/switch/" + mine);
}

TEST_F(Orgs, TakeChangeAndLoseMembers) {
  const Json viewer{{"user_id", test::random_uuid()}, {"role", "viewer"}};
  const Json added = ask(201, owner_, "POST", "/api/orgs/members", viewer);
  const std::string path = "/api/orgs/members/" + std::string(added["id"]);
  EXPECT_EQ(ask(200, owner_, "PATCH", path, {{"role", "admin"}})["role"], "admin");
  ask(403, user_, "DELETE", path);
  ask(204, owner_, "DELETE", path);
  EXPECT_EQ(ask(200, owner_, "GET", "/api/orgs/members")["items"].size(), 2U);
  EXPECT_EQ(events_of("org_member").back(), "org_member.deleted");
}

TEST_F(Orgs, KeepTheirLastOwner) {
  const From admin{test::make_member(*kDatabase, org_, "admin"), org_};
  const Json owners = ask(200, owner_, "GET", "/api/orgs/members?role=eq.owner");
  const std::string path = "/api/orgs/members/" + std::string(owners["items"][0]["id"]);
  ask(403, admin, "DELETE", path);
  ask(403, admin, "PATCH", path, {{"role", "user"}});
  ask(409, owner_, "DELETE", path);
  const HttpResponse demoted = send(owner_, "PATCH", path, {{"role", "user"}});
  EXPECT_EQ(demoted.status, 409);
  EXPECT_NE(demoted.body.find("an organisation keeps at least one owner"), std::string::npos);
  // With another owner the first may go.
  test::make_member(*kDatabase, org_, "owner");
  ask(204, owner_, "DELETE", path);
}

TEST_F(Orgs, LoseEveryMemberWhenTheyGo) {
  EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
    storage::Sql sql(tx);
    EXPECT_EQ(sql.run("delete from orgs where id = $1", {org_}), 1U);
    EXPECT_FALSE(sql.value("select id from org_members where org_id = $1", {org_}));
    return ok();
  }));
}

TEST_F(Clients, AreMadeReadChangedAndDeletedAndTellOfIt) {
  const Json made = ask(
      201, owner_, "POST", "/api/clients", {{"name", "Acme"}, {"settings", {{"language", "en"}}}});
  EXPECT_EQ(made["status"], "lead");
  EXPECT_EQ(made["settings"]["language"], "en");
  const std::string path = "/api/clients/" + std::string(made["id"]);
  ask(200, owner_, "PATCH", path, {{"status", "active"}});
  EXPECT_EQ(ask(200, user_, "GET", path)["status"], "active");
  ask(403, user_, "PATCH", path, {{"status", "paused"}});
  ask(400, owner_, "PATCH", path, {{"settings", Json::array()}});
  ask(204, owner_, "DELETE", path);
  EXPECT_EQ(events_of("client"),
            (std::vector<std::string>{"client.created", "client.updated", "client.deleted"}));
}

TEST_F(Clients, AreLookedAfterByMembersOfTheOrganisation) {
  const Json client = ask(201, owner_, "POST", "/api/clients", {{"name", "Acme"}});
  const Json member{{"client_id", client["id"]}, {"user_id", user_.token}, {"role", "lead"}};
  ask(201, owner_, "POST", "/api/client_team_members", member);
  ask(409, owner_, "POST", "/api/client_team_members", member);
  Json stranger = member;
  stranger["user_id"] = test::random_uuid();
  ask(400, owner_, "POST", "/api/client_team_members", stranger);
  // Who leaves the organisation leaves its clients.
  const Json found = ask(200, owner_, "GET", "/api/orgs/members?user_id=eq." + user_.token);
  ask(204, owner_, "DELETE", "/api/orgs/members/" + std::string(found["items"][0]["id"]));
  EXPECT_EQ(ask(200, owner_, "GET", "/api/client_team_members")["items"], Json::array());
}

TEST_F(Clients, HaveMetricsByPeriod) {
  const Json client = ask(201, owner_, "POST", "/api/clients", {{"name", "Acme"}});
  const std::string path = "/api/clients/" + std::string(client["id"]);
  const auto add = [&](double value, const char* at) {
    ask(201,
        owner_,
        "POST",
        "/api/client_metrics",
        {{"client_id", client["id"]}, {"name", "nps"}, {"value", value}, {"measured_at", at}});
  };
  add(8, "2026-03-04T09:00:00Z");
  add(10, "2026-03-04T21:00:00Z");
  add(3, "2026-03-05T09:00:00Z");
  const Json days =
      ask(200, owner_, "GET", path + "/metrics?from=2026-03-01T00:00:00Z&name=nps")["items"];
  ASSERT_EQ(days.size(), 2U);
  EXPECT_EQ(days[0]["count"], 2);
  EXPECT_EQ(days[0]["avg"], 9);
  EXPECT_EQ(days[0]["last"], 10);
  const Json months =
      ask(200, owner_, "GET", path + "/metrics?from=2026-03-01T00:00:00Z&every=month")["items"];
  ASSERT_EQ(months.size(), 1U);
  EXPECT_EQ(months[0]["sum"], 21);
  EXPECT_EQ(months[0]["min"], 3);
  ask(400, owner_, "GET", path + "/metrics?from=yesterday");
  ask(400, owner_, "GET", path + "/metrics?every=year");
  // They are never changed, and go with their client.
  ask(204, owner_, "DELETE", path);
  EXPECT_EQ(ask(200, owner_, "GET", "/api/client_metrics")["items"], Json::array());
}

TEST_F(Clients, OfAnotherOrganisationHaveNoMetricsAndNoOnboarding) {
  const Json client = ask(201, owner_, "POST", "/api/clients", {{"name", "Acme"}});
  const std::string path = "/api/clients/" + std::string(client["id"]);
  const std::string other = test::random_uuid();
  const From stranger{test::make_member(*kDatabase, other, "owner"), other};
  ask(404, stranger, "GET", path + "/metrics");
  ask(404, stranger, "GET", path + "/onboarding");
  ask(404, stranger, "POST", path + "/onboarding", Json::object());
  ask(404, owner_, "GET", "/api/clients/x/metrics");
}

TEST_F(Onboarding, SetsUpAClientStepByStep) {
  const Json client =
      ask(201, owner_, "POST", "/api/clients", {{"name", "Acme"}, {"settings", {{"a", 1}}}});
  const std::string path = "/api/clients/" + std::string(client["id"]);
  const Json plan{{"team", {{{"user_id", user_.token}, {"role", "lead"}}}},
                  {"settings", {{"b", 2}}},
                  {"tasks", {"Call", "Contract"}}};
  ask(403, user_, "POST", path + "/onboarding", plan);
  EXPECT_EQ(ask(202, owner_, "POST", path + "/onboarding", plan)["onboarding"], "running");
  const Json onboarding = onboarded(client["id"], "done");
  EXPECT_EQ(onboarding["tasks"][0]["title"], "Call");
  EXPECT_EQ(onboarding["tasks"].size(), 2U);
  const Json after = ask(200, owner_, "GET", path);
  EXPECT_EQ(after["status"], "active");
  EXPECT_EQ(after["settings"], (Json{{"a", 1}, {"b", 2}}));
  const Json team = ask(200, owner_, "GET", "/api/client_team_members");
  EXPECT_EQ(team["items"][0]["user_id"], user_.token);
}

TEST_F(Onboarding, ThatFailsTakesBackWhatItDidAndSaysWhy) {
  const Json client =
      ask(201, owner_, "POST", "/api/clients", {{"name", "Acme"}, {"settings", {{"a", 1}}}});
  const std::string path = "/api/clients/" + std::string(client["id"]);
  // Somebody who is no member of the organisation: the fourth step cannot be done.
  ask(202,
      owner_,
      "POST",
      path + "/onboarding",
      {{"team", {{{"user_id", test::random_uuid()}}}}, {"settings", {{"b", 2}}}});
  const Json onboarding = onboarded(client["id"], "failed");
  EXPECT_EQ(onboarding["error"], "team: refers to something that does not exist");
  EXPECT_EQ(onboarding["tasks"], Json::array());
  const Json after = ask(200, owner_, "GET", path);
  EXPECT_EQ(after["status"], "lead");
  EXPECT_EQ(after["settings"], (Json{{"a", 1}}));
  // It may be tried again.
  ask(202, owner_, "POST", path + "/onboarding", Json::object());
  EXPECT_EQ(onboarded(client["id"], "done")["tasks"].size(), 3U);
}

}  // namespace
}  // namespace qylon::api

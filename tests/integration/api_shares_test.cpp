// Who gets into a meeting, over a real PostgreSQL: rights, tickets, share links.

#include <future>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "api/core/router.hpp"
#include "api/shares.hpp"
#include "storage/meeting_store.hpp"
#include "storage/sql.hpp"
#include "tests/support/platform_calls.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

const SystemClock kClock;
const Log kLog(kClock, LogLevel::kError);

/// Whose the meetings are that the server itself makes.
const std::string kDefaultOrg = "00000000-0000-4000-8000-000000000001";

/// One PostgreSQL for all tests.
const test::TestDatabase* const kCluster = test::TestDatabase::of_program();

class SharedMeetings : public testing::Test {
 protected:
  void SetUp() override {
    storage::Database::Options options;
    options.url = kCluster->url();
    database_ = storage::Database::open(options, kLog, counters_, kClock).value();
    shares_ = std::make_unique<Shares>(*database_, kClock);
    router_ = std::make_unique<Router>(Router::Limits{.per_address = 1e6, .per_user = 1e6},
                                       Router::Parts{access_, kClock, kLog, counters_});
    router_->add(shares_->routes());
    std::promise<std::string> made;
    ASSERT_TRUE(database_->submit([&made](storage::Session& session) {
      made.set_value(storage::create_meeting(session, {"Plan", {}}).value().id.to_string());
    }));
    meeting_ = made.get_future().get();
  }
  void TearDown() override { shares_.reset(); }

  HttpResponse ask(const std::string& token,
                   const std::string& method,
                   const std::string& path,
                   const std::string& body = "") {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.headers.emplace_back("x-org-id", kDefaultOrg);
    if (!token.empty()) request.authorization = "Bearer " + token;
    std::promise<HttpResponse> promise;
    router_->handle(request,
                    [&promise](HttpResponse answer) { promise.set_value(std::move(answer)); });
    return promise.get_future().get();
  }
  HttpResponse ticket_for(const std::string& token, const std::string& verb) {
    return ask(token,
               "POST",
               "/api/tickets",
               R"({"meeting":")" + meeting_ + R"(","verb":")" + verb + "\"}");
  }
  static std::string member(const HttpResponse& answer, const std::string& name) {
    for (const std::string separator : {"\": \"", "\":\""}) {
      const std::size_t at = answer.body.find("\"" + name + separator);
      if (at == std::string::npos) continue;
      const std::size_t from = at + 1 + name.size() + separator.size();
      return answer.body.substr(from, answer.body.find('"', from) - from);
    }
    return "";
  }
  void run(const char* statement, const std::string& value) {
    const Status done =
        kCluster->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
          storage::Sql(transaction).run(statement, {value});
          return ok();
        });
    ASSERT_TRUE(done) << done.error().message;
  }

  Counters counters_;
  test::OpenAccess access_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Shares> shares_;
  std::unique_ptr<Router> router_;
  std::string meeting_;
  const std::string stranger_ = test::random_uuid();
};

TEST_F(SharedMeetings, AreOpenedByATicketForOneVerbOnce) {
  const HttpResponse answer = ticket_for("service", "uplink");
  ASSERT_EQ(answer.status, 201) << answer.body;
  const auto pass = shares_->redeem(member(answer, "ticket"));
  ASSERT_TRUE(pass);
  EXPECT_EQ(pass->meeting.to_string(), meeting_);
  EXPECT_EQ(pass->verb, MeetingVerb::kSpeak);
  EXPECT_FALSE(shares_->redeem(member(answer, "ticket")));
}

TEST_F(SharedMeetings, AreSeenByTheirOrganisationAndChangedByWhoMay) {
  const std::string viewer = test::make_member(*kCluster, kDefaultOrg, "viewer");
  const std::string admin = test::make_member(*kCluster, kDefaultOrg, "admin");
  EXPECT_EQ(ticket_for(viewer, "subscribe").status, 201);
  EXPECT_EQ(ticket_for(viewer, "uplink").status, 403);
  EXPECT_EQ(ticket_for(admin, "uplink").status, 201);
  const std::string path = "/api/meetings/" + meeting_ + "/shares";
  EXPECT_EQ(ask(viewer, "POST", path).status, 403);
  EXPECT_EQ(ask(admin, "POST", path).status, 201);
  const std::string other = test::make_member(*kCluster, test::random_uuid(), "owner");
  EXPECT_EQ(ticket_for(other, "subscribe").status, 404);
}

TEST_F(SharedMeetings, GiveNoTicketToStrangersOrToNobody) {
  EXPECT_EQ(ticket_for(stranger_, "subscribe").status, 404);
  EXPECT_EQ(ticket_for("", "subscribe").status, 401);
  const std::string path = "/api/meetings/" + meeting_ + "/shares";
  EXPECT_EQ(ask(stranger_, "POST", path).status, 404);
  EXPECT_EQ(ask(stranger_, "GET", path).status, 404);
  EXPECT_EQ(ask("", "POST", path).status, 401);
}

TEST_F(SharedMeetings, AreWatchedByWhoeverHasALink) {
  const HttpResponse made = ask("service", "POST", "/api/meetings/" + meeting_ + "/shares");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string secret = member(made, "secret");
  EXPECT_EQ(member(made, "path"), "/m/" + meeting_ + "#share=" + secret);
  const HttpResponse ticket = ask("", "POST", "/api/tickets", R"({"share":")" + secret + "\"}");
  ASSERT_EQ(ticket.status, 201) << ticket.body;
  const auto pass = shares_->redeem(member(ticket, "ticket"));
  ASSERT_TRUE(pass);
  EXPECT_EQ(pass->meeting.to_string(), meeting_);
  EXPECT_EQ(pass->verb, MeetingVerb::kSee);
  EXPECT_EQ(pass->session_us, Shares::kShareSessionUs);
}

TEST_F(SharedMeetings, AreClosedToALinkThatIsRevokedOrTooOld) {
  const std::string path = "/api/meetings/" + meeting_ + "/shares";
  const HttpResponse revoked = ask("service", "POST", path);
  const HttpResponse expired = ask("service", "POST", path);
  EXPECT_EQ(ask("service", "DELETE", path + "/" + member(revoked, "id")).status, 200);
  run("update share_links set expires_at = now() - interval '1 second' where id = $1::uuid",
      member(expired, "id"));
  for (const HttpResponse& link : {revoked, expired}) {
    const std::string body = R"({"share":")" + member(link, "secret") + "\"}";
    EXPECT_EQ(ask("", "POST", "/api/tickets", body).status, 401);
  }
  EXPECT_EQ(ask("service", "DELETE", path + "/" + test::random_uuid()).status, 404);
}

TEST_F(SharedMeetings, KeepNoSecretOfALink) {
  const std::string path = "/api/meetings/" + meeting_ + "/shares";
  const HttpResponse made = ask("service", "POST", path);
  const HttpResponse listed = ask("service", "GET", path);
  EXPECT_EQ(listed.status, 200);
  EXPECT_NE(listed.body.find(member(made, "id")), std::string::npos);
  EXPECT_EQ(listed.body.find(member(made, "secret")), std::string::npos);
  std::optional<std::string> row;
  ASSERT_TRUE(kCluster->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
    row = storage::Sql(transaction)
              .value("select s::text from share_links s where id = $1::uuid", {member(made, "id")});
    return ok();
  }));
  EXPECT_EQ(row.value().find(member(made, "secret")), std::string::npos);
}

}  // namespace
}  // namespace qylon::api

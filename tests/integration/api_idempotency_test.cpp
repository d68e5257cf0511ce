// Idempotency-Key over a real PostgreSQL.

#include <future>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "api/core/router.hpp"
#include "api/http_answers.hpp"
#include "storage/sql.hpp"
#include "tests/support/platform_calls.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

const SystemClock kClock;
const Log kLog(kClock, LogLevel::kError);

/// One PostgreSQL for all tests.
const test::TestDatabase* const kCluster = test::TestDatabase::of_program();

class RepeatedRequests : public testing::Test {
 protected:
  void SetUp() override {
    idempotency_ = std::make_unique<Idempotency>(kCluster->pool(), keeping_);
    router_ = std::make_unique<Router>(
        Router::Limits{.per_address = 1e6, .per_user = 1e6},
        Router::Parts{access_, kClock, kLog, counters_, idempotency_.get()});
    const auto count = [this](const CallPtr& call, const HttpReply& reply) {
      HttpResponse response = json_answer(201, std::to_string(++done_));
      response.headers.emplace_back("Location", "/things/" + std::to_string(done_));
      if (call->request.body == "fail") response = problem({ErrorCode::kUnavailable, "not now"});
      reply(std::move(response));
    };
    const auto wait = [this](const CallPtr&, const HttpReply& reply) {
      waiting_ = reply;
      waits_.set_value();
    };
    router_->add({{"POST", "/things", Permission::kWrite, count},
                  {"POST", "/secrets", Permission::kWrite, count, true},
                  {"POST", "/slow", Permission::kWrite, wait}});
  }
  std::future<HttpResponse> start(const std::string& path,
                                  const std::string& body,
                                  const std::string& token = "service") {
    HttpRequest request;
    request.method = "POST";
    request.path = path;
    request.body = body;
    request.authorization = "Bearer " + token;
    request.headers.emplace_back("idempotency-key", key_);
    auto promise = std::make_shared<std::promise<HttpResponse>>();
    router_->handle(request,
                    [promise](HttpResponse answer) { promise->set_value(std::move(answer)); });
    return promise->get_future();
  }
  HttpResponse ask(const std::string& path, const std::string& body) {
    return start(path, body).get();
  }

  Counters counters_;
  test::OpenAccess access_;
  std::string key_ = test::random_uuid();
  int done_ = 0;
  HttpReply waiting_;
  std::promise<void> waits_;
  std::unique_ptr<Router> router_;
  DatabaseJobs keeping_{kCluster->pool()};
  std::unique_ptr<Idempotency> idempotency_;
};

TEST_F(RepeatedRequests, AreDoneOnceAndAnsweredAlike) {
  const HttpResponse first = ask("/things", R"({"a":1})");
  const HttpResponse again = ask("/things", R"({"a":1})");
  EXPECT_EQ(done_, 1);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(test::header_of(again, "Location"), "/things/1");
  EXPECT_EQ(test::header_of(first, "Idempotency-Replayed"), "");
  EXPECT_EQ(test::header_of(again, "Idempotency-Replayed"), "true");
}

TEST_F(RepeatedRequests, WithAnotherBodyAreRefused) {
  ask("/things", R"({"a":1})");
  EXPECT_EQ(ask("/things", R"({"a":2})").status, 422);
  EXPECT_EQ(done_, 1);
}

TEST_F(RepeatedRequests, OfAnotherCallerAreTheirOwn) {
  ask("/things", "{}");
  EXPECT_EQ(start("/things", "{}", test::random_uuid()).get().status, 201);
  EXPECT_EQ(done_, 2);
}

TEST_F(RepeatedRequests, AreRefusedWhileTheFirstIsAnswered) {
  auto first = start("/slow", "{}");
  waits_.get_future().wait();
  const HttpResponse second = ask("/slow", "{}");
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(test::header_of(second, "Retry-After"), "1");
  waiting_(json_answer(200, "done"));
  EXPECT_EQ(first.get().body, "done");
  EXPECT_EQ(ask("/slow", "{}").body, "done");
}

TEST_F(RepeatedRequests, AreAnsweredWhileTheServerStopsAndKeepsNothing) {
  auto first = start("/slow", "{}");
  waits_.get_future().wait();
  keeping_.close();
  waiting_(json_answer(200, "done"));
  EXPECT_EQ(first.get().body, "done");
}

TEST_F(RepeatedRequests, AreDoneAgainAfterAFailure) {
  EXPECT_EQ(ask("/things", "fail").status, 503);
  EXPECT_EQ(ask("/things", "fail").status, 503);
  EXPECT_EQ(done_, 2);
}

TEST_F(RepeatedRequests, AreDoneAgainAfterADay) {
  ask("/things", "{}");
  ASSERT_TRUE(kCluster->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
    storage::Sql(transaction)
        .run("update idempotency_keys set started_at = now() - interval '25 hours' where key = $1",
             {key_});
    return ok();
  }));
  ask("/things", "{}");
  EXPECT_EQ(done_, 2);
}

TEST_F(RepeatedRequests, WithASecretAnswerAreNeverKept) {
  ask("/secrets", "{}");
  ask("/secrets", "{}");
  EXPECT_EQ(done_, 2);
}

}  // namespace
}  // namespace qylon::api

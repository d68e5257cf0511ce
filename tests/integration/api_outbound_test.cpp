// Requests to others' servers, over real sockets.

#include <future>

#include <gtest/gtest.h>

#include "api/core/outbound.hpp"
#include "tests/support/http_standin.hpp"
#include "tests/support/polling.hpp"

namespace qylon::api {
namespace {

using test::HttpStandin;

class OutboundTest : public testing::Test {
 protected:
  /// One that may call `standin`.
  Outbound make(const HttpStandin& standin, Outbound::Options options = {}) {
    options.allowed = {standin.authority()};
    options.backoff = {.base_ms = 1, .cap_ms = 5};
    return {options, clock_, counters_};
  }
  static std::future<Result<OutboundAnswer>> ask(Outbound& outbound, OutboundRequest request) {
    auto promise = std::make_shared<std::promise<Result<OutboundAnswer>>>();
    auto answer = promise->get_future();
    outbound.send(std::move(request), [promise](Result<OutboundAnswer> given) {
      promise->set_value(std::move(given));
    });
    return answer;
  }
  static ErrorCode code_of(std::future<Result<OutboundAnswer>> answer) {
    const auto given = answer.get();
    EXPECT_FALSE(given);
    return given ? ErrorCode::kInternal : given.error().code;
  }

  const SystemClock clock_{};
  Counters counters_;
};

TEST_F(OutboundTest, SendsMethodHeadersAndBodyAndGivesTheWholeAnswer) {
  std::string seen;
  const HttpStandin standin([&](const std::string& request, int) {
    seen = request;
    return HttpStandin::answer(201, "made", "X-Thing:  a b \r\nRetry-After: 3\r\n");
  });
  Outbound outbound = make(standin);
  const auto answer = ask(outbound,
                          {.method = "PATCH",
                           .url = standin.url("/a?b=c"),
                           .headers = {{"Content-Type", "application/json"}},
                           .body = "{}"})
                          .get();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "made");
  EXPECT_EQ(answer->retry_after_ms, 3000);
  EXPECT_NE(std::find(answer->headers.begin(),
                      answer->headers.end(),
                      std::pair<std::string, std::string>("x-thing", "a b")),
            answer->headers.end());
  EXPECT_EQ(seen.find("PATCH /a?b=c HTTP/1.1\r\n"), 0U);
  EXPECT_TRUE(seen.ends_with("\r\n\r\n{}"));
}

TEST_F(OutboundTest, ConnectsToNoAddressThatIsNotPublic) {
  const HttpStandin standin([](const std::string&, int) { return HttpStandin::answer(200, ""); });
  const std::string port = standin.authority().substr(standin.authority().find(':'));
  Outbound outbound({.allowed = {"elsewhere.example:80"}}, clock_, counters_);
  for (const std::string& host : {std::string("127.0.0.1"),
                                  std::string("localhost"),
                                  std::string("0x7f.1"),
                                  std::string("2130706433"),
                                  std::string("0"),
                                  std::string("[::1]"),
                                  std::string("[::ffff:127.0.0.1]")})
    EXPECT_EQ(code_of(ask(outbound, {.url = "https://" + host + port + "/"})),
              ErrorCode::kForbidden)
        << host;
  EXPECT_EQ(code_of(ask(outbound, {.url = "https://169.254.169.254/latest/"})),
            ErrorCode::kForbidden);
  EXPECT_EQ(standin.requests(), 0);
  EXPECT_NE(counters_.render().find("qylon_outbound_refused_total 8"), std::string::npos);
}

TEST_F(OutboundTest, RefusesUrlsAndHeadersThatMeanSomethingElse) {
  const HttpStandin standin([](const std::string&, int) { return HttpStandin::answer(200, ""); });
  Outbound outbound = make(standin);
  for (const char* url : {"",
                          "ftp://example.org/",
                          "file:///etc/passwd",
                          "gopher://example.org",
                          "http://example.org/",
                          "https://user:password@example.org/",
                          "example.org"})
    EXPECT_EQ(code_of(ask(outbound, {.url = url})), ErrorCode::kInvalidArgument) << url;
  for (const auto& header : {std::pair<std::string, std::string>("X", "a\r\nHost: b"),
                             std::pair<std::string, std::string>("X:", "a"),
                             std::pair<std::string, std::string>("", "a")})
    EXPECT_EQ(code_of(ask(outbound, {.url = standin.url(), .headers = {header}})),
              ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(ask(outbound, {.method = "GET /x", .url = standin.url()})),
            ErrorCode::kInvalidArgument);
}

TEST_F(OutboundTest, FollowsNoRedirect) {
  const HttpStandin standin([](const std::string&, int) {
    return HttpStandin::answer(302, "", "Location: http://169.254.169.254/\r\n");
  });
  Outbound outbound = make(standin);
  const auto answer = ask(outbound, {.url = standin.url()}).get();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(standin.requests(), 1);
}

TEST_F(OutboundTest, GivesUpAtItsDeadlineAndOnAnswersThatAreTooLarge) {
  const HttpStandin silent([](const std::string&, int) { return std::optional<std::string>(); });
  Outbound outbound = make(silent);
  EXPECT_EQ(code_of(ask(outbound, {.url = silent.url(), .deadline_ms = 50})),
            ErrorCode::kUnavailable);
  const HttpStandin large(
      [](const std::string&, int) { return HttpStandin::answer(200, std::string(5000, 'x')); });
  Outbound other = make(large);
  EXPECT_EQ(code_of(ask(other, {.url = large.url(), .answer_bytes_max = 4096})),
            ErrorCode::kUnavailable);
}

TEST_F(OutboundTest, TriesIdempotentRequestsAgainAndNoOthers) {
  const HttpStandin standin([](const std::string&, int number) {
    return HttpStandin::answer(number % 2 == 1 ? 503 : 200, "");
  });
  Outbound outbound = make(standin);
  const auto again = ask(outbound, {.url = standin.url(), .idempotent = true}).get();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->status, 200);
  EXPECT_EQ(standin.requests(), 2);
  const auto once = ask(outbound, {.method = "POST", .url = standin.url()}).get();
  ASSERT_TRUE(once);
  EXPECT_EQ(once->status, 503);
  EXPECT_EQ(standin.requests(), 3);
}

TEST_F(OutboundTest, SpendsATenthOfItsRequestsOnRetriesAtMost) {
  const HttpStandin standin([](const std::string&, int) { return HttpStandin::answer(503, ""); });
  Outbound outbound =
      make(standin, {.requests_per_host_s = 1000, .breaker = {.failures_max = 999}});
  for (int i = 0; i < 30; ++i)
    EXPECT_EQ(ask(outbound, {.url = standin.url(), .idempotent = true}).get()->status, 503);
  // Two in hand at first, and one for every ten requests.
  EXPECT_GE(standin.requests(), 30 + 4);
  EXPECT_LE(standin.requests(), 30 + 5);
}

TEST_F(OutboundTest, LeavesAHostAloneThatFailsAndProbesItLater) {
  std::atomic<bool> healthy{false};
  const HttpStandin standin(
      [&](const std::string&, int) { return HttpStandin::answer(healthy ? 200 : 500, ""); });
  Outbound outbound = make(standin, {.breaker = {.failures_max = 3, .open_ms = 100}});
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(ask(outbound, {.url = standin.url()}).get()->status, 500);
  EXPECT_EQ(code_of(ask(outbound, {.url = standin.url()})), ErrorCode::kUnavailable);
  EXPECT_EQ(standin.requests(), 3);
  healthy = true;
  EXPECT_TRUE(test::poll_until([&] {
    const auto answer = ask(outbound, {.url = standin.url()}).get();
    return answer && answer->status == 200;
  }));
}

TEST_F(OutboundTest, KeepsAHostThatHangsFromTheOthers) {
  const HttpStandin hung([](const std::string&, int) { return std::optional<std::string>(); });
  const HttpStandin well([](const std::string&, int) { return HttpStandin::answer(200, ""); });
  Outbound outbound({.allowed = {hung.authority(), well.authority()},
                     .active_per_host = 2,
                     .waiting_per_host = 3},
                    clock_,
                    counters_);
  std::vector<std::future<Result<OutboundAnswer>>> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(ask(outbound, {.url = hung.url(), .deadline_ms = 60'000}));
    ASSERT_TRUE(test::poll_until([&] { return hung.requests() >= std::min(i + 1, 2); }));
  }
  EXPECT_EQ(code_of(ask(outbound, {.url = hung.url()})), ErrorCode::kOverloaded);
  EXPECT_EQ(ask(outbound, {.url = well.url()}).get()->status, 200);
  EXPECT_EQ(hung.requests(), 2);
}

TEST_F(OutboundTest, AnswersEverybodyWhenItGoes) {
  const HttpStandin hung([](const std::string&, int) { return std::optional<std::string>(); });
  std::future<Result<OutboundAnswer>> waiting;
  {
    Outbound outbound = make(hung);
    waiting = ask(outbound, {.url = hung.url()});
    ASSERT_TRUE(test::poll_until([&] { return hung.requests() == 1; }));
  }
  EXPECT_EQ(code_of(std::move(waiting)), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace qylon::api

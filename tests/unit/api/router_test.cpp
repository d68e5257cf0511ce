#include "api/core/router.hpp"

#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "api/http_answers.hpp"
#include "tests/support/fake_clock.hpp"

namespace qylon::api {
namespace {

/// Tokens name roles, unless the test wants one of everybody; "key" is an API key that may only
/// read.
class RoleAccess final : public Access {
 public:
  Result<Principal> identify(const Credentials& credentials) const override {
    if (credentials.token.empty() && credentials.api_key.empty() && !takes_nobody)
      return Principal{};
    if (credentials.token == "forged") return Error{ErrorCode::kUnauthenticated, "no"};
    if (credentials.token == "key")
      return Principal{.role = "authenticated",
                       .user = "u1",
                       .claims = R"({"sub":"u1"})",
                       .scopes = std::vector<std::string>{"read"}};
    if (credentials.token.empty()) return Error{ErrorCode::kUnauthenticated, "no"};
    return Principal{std::string(credentials.token), "u1", R"({"sub":"u1"})"};
  }
  bool takes_nobody = false;
};

class Routed : public testing::Test {
 protected:
  Routed() {
    const auto echo = [this](const CallPtr& call, const HttpReply& reply) {
      call_ = call;
      reply(json_answer(200, call->principal.claims));
    };
    router_.add({{"GET", "/open", Permission::kOpen, echo},
                 {"GET", "/anyone", Permission::kAnyone, echo},
                 {"GET", "/things/{id}", Permission::kRead, echo},
                 {"POST", "/things", Permission::kWrite, echo},
                 {"GET", "/inside", Permission::kService, echo}});
  }
  HttpResponse ask(const std::string& method, const std::string& path, const std::string& token) {
    request_.method = method;
    request_.path = path;
    request_.authorization = token.empty() ? "" : "Bearer " + token;
    std::optional<HttpResponse> answer;
    router_.handle(request_, [&answer](HttpResponse response) { answer = std::move(response); });
    return answer.value();
  }
  static std::string header_of(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }

  HttpRequest request_;
  CallPtr call_;
  RoleAccess access_;
  test::FakeClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  Router router_{Router::Limits{.per_address = 2, .per_user = 3, .per_org = 100},
                 Router::Parts{access_, clock_, log_, counters_}};
};

TEST_F(Routed, RequestsReachTheirHandlerWithWhoAsks) {
  EXPECT_EQ(ask("GET", "/things/7", "authenticated").status, 200);
  EXPECT_EQ(call_->captures, std::vector<std::string>{"7"});
  EXPECT_EQ(call_->principal.role, "authenticated");
  EXPECT_EQ(call_->principal.user, "u1");
}

TEST_F(Routed, ProblemsTellAClientOfSupabaseTheVersionThatHasCodes) {
  EXPECT_EQ(header_of(ask("GET", "/nothing", ""), "X-Supabase-Api-Version"), "");
  request_.headers.emplace_back("x-supabase-api-version", "2024-01-01");
  EXPECT_EQ(header_of(ask("GET", "/nothing", ""), "X-Supabase-Api-Version"), "2024-01-01");
  EXPECT_EQ(header_of(ask("GET", "/things/7", "forged"), "X-Supabase-Api-Version"), "2024-01-01");
}

TEST_F(Routed, RequestsOfNobodyGetWhereNobodyIsAsked) {
  EXPECT_EQ(ask("GET", "/open", "forged").status, 200);
  EXPECT_EQ(ask("GET", "/anyone", "").status, 200);
  EXPECT_EQ(ask("GET", "/anyone", "forged").status, 401);
  EXPECT_EQ(ask("GET", "/things/7", "").status, 401);
}

TEST_F(Routed, RequestsOfNobodyGetThereAlsoWhereEverybodyNeedsAToken) {
  access_.takes_nobody = true;
  EXPECT_EQ(ask("GET", "/anyone", "").status, 200);
  EXPECT_EQ(call_->principal.role, "anon");
  EXPECT_EQ(ask("GET", "/things/7", "").status, 401);
  request_.headers = {{"apikey", "wrong"}};
  EXPECT_EQ(ask("GET", "/anyone", "").status, 401);
}

TEST_F(Routed, CookiesThatDoNotStandAreNobodys) {
  access_.takes_nobody = true;
  for (const char* const cookie : {"theme=dark", "__Host-qylon=forged"}) {
    request_.headers = {{"cookie", cookie}};
    EXPECT_EQ(ask("GET", "/anyone", "").status, 200) << cookie;
    EXPECT_EQ(call_->principal.role, "anon") << cookie;
    EXPECT_EQ(ask("GET", "/things/7", "").status, 401) << cookie;
  }
}

TEST_F(Routed, RequestsBeyondAKeysScopesAreForbidden) {
  EXPECT_EQ(ask("GET", "/things/7", "key").status, 200);
  EXPECT_EQ(ask("POST", "/things", "key").status, 403);
  EXPECT_EQ(ask("GET", "/inside", "authenticated").status, 403);
  EXPECT_EQ(ask("GET", "/inside", "service_role").status, 200);
}

TEST_F(Routed, RequestsWithoutARouteAreToldWhatThereIs) {
  EXPECT_EQ(ask("GET", "/nothing", "authenticated").status, 404);
  const HttpResponse wrong = ask("DELETE", "/things", "authenticated");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(header_of(wrong, "Allow"), "POST, OPTIONS");
}

TEST_F(Routed, RequestsNameTheOrganisationTheyAreAbout) {
  const std::string org = "11111111-2222-4333-8444-555555555555";
  request_.headers = {{"x-org-id", org}};
  EXPECT_EQ(ask("GET", "/things/7", "authenticated").body,
            R"({"sub":"u1","active_org":")" + org + R"("})");
  request_.headers = {{"x-org-id", "1 or 1=1"}};
  EXPECT_EQ(ask("GET", "/things/7", "authenticated").status, 400);
}

TEST_F(Routed, RequestsHaveAnIdThatTheirProblemsName) {
  const HttpResponse problem = ask("GET", "/nothing", "");
  const std::string id = header_of(problem, "X-Request-Id");
  EXPECT_EQ(id.size(), 36U);
  EXPECT_TRUE(problem.body.starts_with(R"({"instance":"urn:uuid:)" + id + R"(","type":)"));
  EXPECT_EQ(header_of(problem, "traceparent").size(), 55U);
}

TEST_F(Routed, RequestsOfOneUserAreLimited) {
  request_.peer_is_loopback = true;
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(ask("GET", "/things/7", "authenticated").status, 200);
  const HttpResponse refused = ask("GET", "/things/7", "authenticated");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(header_of(refused, "Retry-After"), "1");
  EXPECT_EQ(header_of(refused, "X-Sb-Error-Code"), "over_request_rate_limit");
  clock_.advance_ms(1000);
  EXPECT_EQ(ask("GET", "/things/7", "authenticated").status, 200);
}

TEST_F(Routed, RequestsOfOneAddressAreLimitedBeforeAnybodyIsAsked) {
  request_.peer_address = "192.0.2.1";
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(ask("GET", "/things/7", "forged").status, 401);
  EXPECT_EQ(ask("GET", "/things/7", "forged").status, 429);
  EXPECT_EQ(ask("GET", "/nothing", "").status, 429);
  request_.peer_address = "192.0.2.2";
  EXPECT_EQ(ask("GET", "/nothing", "").status, 404);
}

TEST_F(Routed, RequestsAreCountedByRouteAndStatus) {
  ask("GET", "/things/7", "authenticated");
  ask("GET", "/things/8", "");
  const std::string page = counters_.render();
  EXPECT_NE(
      page.find(R"(http_requests_total{method="GET",route="/things/{id}",status_code="200"} 1)"),
      std::string::npos);
  EXPECT_NE(
      page.find(R"(http_requests_total{method="GET",route="/things/{id}",status_code="401"} 1)"),
      std::string::npos);
  EXPECT_NE(page.find(R"(qylon_http_request_seconds_count{method="GET",route="/things/{id}"} 2)"),
            std::string::npos);
}

TEST_F(Routed, RequestsWithDeepJsonAreRefused) {
  request_.content_type = "application/json; charset=utf-8";
  request_.body = std::string(33, '[') + std::string(33, ']');
  EXPECT_EQ(ask("POST", "/things", "authenticated").status, 400);
  request_.body = std::string(32, '[') + std::string(32, ']');
  EXPECT_EQ(ask("POST", "/things", "authenticated").status, 200);
}

}  // namespace
}  // namespace qylon::api

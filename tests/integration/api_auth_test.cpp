// Accounts, logins and second factors over a real PostgreSQL, without the HTTP edge.

#include <algorithm>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/compat/supabase_auth.hpp"
#include "api/core/router.hpp"
#include "api/identity/identity_access.hpp"
#include "api/identity/owner.hpp"
#include "api/identity/text_codes.hpp"
#include "api/identity/totp.hpp"
#include "storage/sql.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/platform_calls.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::json;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

const std::string kServer = "qyl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const std::string kPassword = "correct horse battery";

struct Answer {
  int status;
  Json body;
  std::string code() const { return body.value("code", ""); }
  std::string text(const char* name) const { return body.at(name).get<std::string>(); }
};

/// The characters of RFC 4648 section 6 back to bytes, as an authenticator app does it.
std::string from_base32(const std::string& text) {
  std::string bytes;
  unsigned window = 0;
  int held = 0;
  for (const char c : text) {
    window = (window << 5) | static_cast<unsigned>(c >= 'A' ? c - 'A' : c - '2' + 26);
    held += 5;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>((window >> held) & 0xFF);
  }
  return bytes;
}

class Auth : public testing::Test {
 protected:
  void SetUp() override { start(true); }
  void TearDown() override { stop(); }

  void start(bool sign_up) {
    Identity::Options options;
    options.keys.issuer = "https://us/auth/v1";
    options.passwords.cost = {.memory_kib = 8, .passes = 1, .lanes = 1};
    options.passwords.waiting_max = 2'000;
    auto identity = Identity::create(options, master_, {kDatabase->pool(), log_, clock_});
    ASSERT_TRUE(identity) << identity.error().message;
    identity_ = *std::move(identity);
    access_ = std::make_unique<IdentityAccess>(IdentityAccess::Parts{token_, *identity_, clock_});
    context_ = std::make_unique<AuthContext>(
        AuthContext::Options{
            .site_url = "https://us", .redirects = {"https://app.example"}, .sign_up = sign_up},
        AuthContext::Parts{kDatabase->pool(), *identity_, nullptr, counters_, clock_});
    router_ = std::make_unique<Router>(Router::Limits{1e6, 1e6, 1e6},
                                       Router::Parts{*access_, clock_, log_, counters_});
    router_->add(supabase_auth_routes(*context_));
  }
  void stop() {
    router_.reset();
    context_.reset();
    access_.reset();
    identity_.reset();
    const Status wiped = kDatabase->transact_as(Principal::service(), [](auto& transaction) {
      storage::Sql sql(transaction);
      for (const std::string table : {"users", "auth_attempts", "signing_keys"})
        sql.run("delete from " + table);
      return ok();
    });
    EXPECT_TRUE(wiped) << wiped.error().message;
  }

  std::future<HttpResponse> begin(const std::string& method,
                                  const std::string& target,
                                  const Json& body,
                                  const std::string& token,
                                  const std::string& cookie = "") {
    HttpRequest request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    if (const auto query = target.find('?'); query != target.npos) {
      const auto equals = target.find('=', query);
      request.query.emplace_back(target.substr(query + 1, equals - query - 1),
                                 target.substr(equals + 1));
    }
    request.content_type = "application/json";
    if (!token.empty()) request.authorization = "Bearer " + token;
    if (!cookie.empty()) request.headers.emplace_back("cookie", cookie);
    if (!body.is_null()) request.body = body.dump();
    request.peer_address = "192.0.2.7";
    auto promise = std::make_shared<std::promise<HttpResponse>>();
    auto answer = promise->get_future();
    router_->handle(std::move(request),
                    [promise](HttpResponse response) { promise->set_value(std::move(response)); });
    return answer;
  }
  Answer ask(const std::string& method,
             const std::string& target,
             const Json& body = {},
             const std::string& token = "") {
    const HttpResponse response = begin(method, target, body, token).get();
    return {response.status, Json::parse(response.body, nullptr, false)};
  }
  Answer sign_up(const std::string& email = "ann@example.org") {
    return ask("POST", "/auth/v1/signup", {{"email", email}, {"password", kPassword}});
  }
  Answer log_in(const std::string& password, const std::string& email = "ann@example.org") {
    return ask(
        "POST", "/auth/v1/token?grant_type=password", {{"email", email}, {"password", password}});
  }
  Answer refresh(const std::string& token) {
    return ask("POST", "/auth/v1/token?grant_type=refresh_token", {{"refresh_token", token}});
  }
  int user_status(const std::string& token) {
    return ask("GET", "/auth/v1/user", {}, token).status;
  }
  std::string one(const std::string& statement) {
    std::string value;
    const Status done = kDatabase->transact_as(Principal::service(), [&](auto& transaction) {
      value = storage::Sql(transaction).value(statement).value_or("");
      return ok();
    });
    EXPECT_TRUE(done) << done.error().message;
    return value;
  }
  static Json claims_of(const std::string& token) {
    const auto first = token.find('.');
    const auto second = token.find('.', first + 1);
    return Json::parse(*parse_base64url(token.substr(first + 1, second - first - 1)));
  }

  test::FakeClock clock_{1'800'000'000'000'000};
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  const SealKey master_ = SealKey::random();
  TokenAccess token_{kServer};
  std::unique_ptr<Identity> identity_;
  std::unique_ptr<IdentityAccess> access_;
  std::unique_ptr<AuthContext> context_;
  std::unique_ptr<Router> router_;
};

TEST_F(Auth, SignsUpAndIn) {
  const Answer made = sign_up("Ann@Example.org ");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.text("token_type"), "bearer");
  EXPECT_EQ(made.body["expires_at"], 1'800'003'600);
  EXPECT_EQ(made.body["user"]["email"], "ann@example.org");
  EXPECT_EQ(made.body["user"]["identities"][0]["provider"], "email");
  EXPECT_EQ(made.body.dump().find("argon2"), std::string::npos);
  const Json claims = claims_of(made.text("access_token"));
  EXPECT_EQ(claims["iss"], "https://us/auth/v1");
  EXPECT_EQ(claims["sub"], made.body["user"]["id"]);
  EXPECT_EQ(claims["aal"], "aal1");
  EXPECT_EQ(claims["amr"][0]["method"], "password");
  EXPECT_EQ(claims["exp"], 1'800'003'600);
  EXPECT_EQ(sign_up().code(), "user_already_exists");

  const Answer back = log_in(kPassword);
  ASSERT_EQ(back.status, 200) << back.body;
  const Answer user = ask("GET", "/auth/v1/user", {}, back.text("access_token"));
  EXPECT_EQ(user.body["id"], made.body["user"]["id"]);
  EXPECT_EQ(user_status("no token"), 401);
  EXPECT_EQ(one("select count(*) from events where type = 'user.registered' and data ->> 'id' = '" +
                made.body["user"]["id"].get<std::string>() + "' and not data ? 'password_hash'"),
            "1");
}

TEST_F(Auth, LetsTheOwnerInByALinkThatWorksOnceWhateverTheAddressIsByNow) {
  bool is_new = false;
  const auto start_server = [&] {
    const Status done = kDatabase->transact_as(Principal::service(), [&](auto& transaction) {
      storage::Sql sql(transaction);
      is_new = make_first_user(sql, Moment::now(clock_));
      return ok();
    });
    ASSERT_TRUE(done) << done.error().message;
  };
  start_server();
  EXPECT_TRUE(is_new);
  one("update users set email = 'ann@example.org' returning 1");
  EXPECT_EQ(ask("POST", "/auth/v1/admin/sign_in_link").status, 401);
  const Answer link = ask("POST", "/auth/v1/admin/sign_in_link", {}, kServer);
  ASSERT_EQ(link.status, 200) << link.body;
  const std::string fragment = link.text("fragment");
  ASSERT_TRUE(fragment.starts_with("sign-in=")) << fragment;
  const Json proof{{"type", "email"}, {"token_hash", fragment.substr(8)}};
  const Answer session = ask("POST", "/auth/v1/verify", proof);
  ASSERT_EQ(session.status, 200) << session.body;
  EXPECT_EQ(session.body["user"]["email"], "ann@example.org");
  EXPECT_EQ(ask("POST", "/auth/v1/verify", proof).code(), "otp_expired");
  start_server();
  EXPECT_FALSE(is_new);
  EXPECT_EQ(one("select count(*) from users"), "1");

  one("update users set banned_until = 'infinity' returning 1");
  EXPECT_EQ(ask("POST", "/auth/v1/admin/sign_in_link", {}, kServer).status, 404);
}

TEST_F(Auth, LogsBrowsersInByACookie) {
  sign_up();
  const auto log_in_with = [this](const std::string& password) {
    return begin("POST",
                 "/api/auth/login",
                 {{"email", "ann@example.org"}, {"password", password}},
                 "")
        .get();
  };
  EXPECT_EQ(test::header_of(log_in_with("wrong horse"), "Set-Cookie"), "");
  const HttpResponse in = log_in_with(kPassword);
  ASSERT_EQ(in.status, 200) << in.body;
  const std::string set = test::header_of(in, "Set-Cookie");
  const std::string cookie = set.substr(0, set.find(';'));
  EXPECT_EQ(cookie, "__Host-qylon=" + Json::parse(in.body).at("access_token").get<std::string>());
  EXPECT_EQ(one("select count(*) from sessions where revoked_at is null and user_id = '" +
                Json::parse(in.body)["user"]["id"].get<std::string>() + "'"),
            "2");  // Signing up opened the other one.

  const auto user_with = [this](const std::string& token, const std::string& shown) {
    return begin("GET", "/auth/v1/user", {}, token, shown).get().status;
  };
  EXPECT_EQ(user_with("", cookie), 200);
  EXPECT_EQ(user_with("", "__Host-qylon=forged"), 401);
  EXPECT_EQ(user_with("forged", cookie), 401);  // A header goes before.
  const HttpResponse out = begin("POST", "/api/auth/logout", {}, "", cookie).get();
  EXPECT_NE(test::header_of(out, "Set-Cookie").find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(user_with("", cookie), 401);
  const std::string page = counters_.render();
  EXPECT_NE(page.find("qylon_auth_sign_ins_total{result=\"right\"} 1"), std::string::npos);
  EXPECT_NE(page.find("qylon_auth_sign_ins_total{result=\"refused\"} 1"), std::string::npos);
}

TEST_F(Auth, TellsNobodyWhoHasAnAccount) {
  sign_up();
  const Answer wrong = log_in("wrong horse");
  const Answer unknown = log_in("wrong horse", "ben@example.org");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.code(), "invalid_credentials");
  Json first = wrong.body;
  Json second = unknown.body;
  first.erase("instance");
  second.erase("instance");
  EXPECT_EQ(first, second);
}

TEST_F(Auth, RefusesWeakPasswordsAndStrangersWhenClosed) {
  const Answer weak =
      ask("POST", "/auth/v1/signup", {{"email", "ann@example.org"}, {"password", "short"}});
  EXPECT_EQ(weak.status, 422);
  EXPECT_EQ(weak.code(), "weak_password");
  EXPECT_EQ(weak.body["weak_password"]["reasons"], Json({"length"}));
  stop();
  start(false);
  EXPECT_EQ(sign_up().code(), "signup_disabled");
}

TEST_F(Auth, EvaluatesAtMostTwentyOfTenThousandGuesses) {
  sign_up();
  std::size_t refused = 0;
  for (int batch = 0; batch < 20; ++batch) {
    std::vector<std::future<HttpResponse>> answers;
    for (int i = 0; i < 500; ++i) {
      answers.push_back(begin(
          "POST",
          "/auth/v1/token?grant_type=password",
          {{"email", "ann@example.org"}, {"password", "guess " + std::to_string(500 * batch + i)}},
          ""));
    }
    for (auto& answer : answers)
      refused += answer.get().status == 429 ? 1 : 0;
  }
  EXPECT_LE(context_->passwords_checked().value(), 20U);
  EXPECT_GE(refused, 9'980U);
  EXPECT_EQ(log_in(kPassword).status, 429);
  clock_.advance_ms(kPasswordAttempts.window_s * 1000);
  EXPECT_EQ(log_in(kPassword).status, 200);
}

TEST_F(Auth, RotatesRefreshTokensAndEndsTheFamilyOfAStolenOne) {
  const Answer first = sign_up();
  const Answer second = refresh(first.text("refresh_token"));
  ASSERT_EQ(second.status, 200) << second.body;
  EXPECT_NE(second.text("refresh_token"), first.text("refresh_token"));
  EXPECT_EQ(claims_of(second.text("access_token"))["session_id"],
            claims_of(first.text("access_token"))["session_id"]);
  clock_.advance_ms(9'000);
  EXPECT_EQ(refresh(first.text("refresh_token")).text("refresh_token"),
            second.text("refresh_token"));
  clock_.advance_ms(2'000);
  const Answer stolen = refresh(first.text("refresh_token"));
  EXPECT_EQ(stolen.status, 400);
  EXPECT_EQ(stolen.code(), "refresh_token_already_used");
  EXPECT_EQ(refresh(second.text("refresh_token")).code(), "refresh_token_not_found");
  EXPECT_EQ(user_status(second.text("access_token")), 401);
  EXPECT_EQ(refresh("unknown").code(), "refresh_token_not_found");
}

TEST_F(Auth, GivesFiftyParallelRefreshesOneChild) {
  const std::string token = sign_up().text("refresh_token");
  std::vector<std::future<HttpResponse>> answers;
  for (int i = 0; i < 50; ++i) {
    answers.push_back(
        begin("POST", "/auth/v1/token?grant_type=refresh_token", {{"refresh_token", token}}, ""));
  }
  std::set<std::string> children;
  for (auto& answer : answers) {
    const HttpResponse response = answer.get();
    EXPECT_EQ(response.status, 200) << response.body;
    children.insert(Json::parse(response.body).value("refresh_token", ""));
  }
  EXPECT_EQ(children.size(), 1U);
  EXPECT_EQ(one("select count(*) from refresh_tokens"), "2");
}

TEST_F(Auth, EndsIdleSessions) {
  const std::string token = sign_up().text("refresh_token");
  clock_.advance_ms(31LL * 86'400'000);
  EXPECT_EQ(refresh(token).code(), "refresh_token_not_found");
}

TEST_F(Auth, SignsOutHereThereAndEverywhere) {
  const std::string first = sign_up().text("access_token");
  const std::string second = log_in(kPassword).text("access_token");
  const std::string third = log_in(kPassword).text("access_token");
  const Answer list = ask("GET", "/auth/v1/sessions", {}, third);
  EXPECT_EQ(list.body["sessions"].size(), 3U);
  EXPECT_EQ(ask("POST", "/auth/v1/logout?scope=others", {}, third).status, 204);
  EXPECT_EQ(user_status(first), 401);
  EXPECT_EQ(user_status(second), 401);
  EXPECT_EQ(user_status(third), 200);
  const std::string fourth = log_in(kPassword).text("access_token");
  const std::string id = claims_of(fourth)["session_id"];
  EXPECT_EQ(ask("DELETE", "/auth/v1/sessions/" + id, {}, third).status, 204);
  EXPECT_EQ(user_status(fourth), 401);
  EXPECT_EQ(ask("POST", "/auth/v1/logout?scope=global", {}, third).status, 204);
  EXPECT_EQ(user_status(third), 401);
}

TEST_F(Auth, RemembersSignOutsThroughARestart) {
  const std::string token = sign_up().text("access_token");
  ask("POST", "/auth/v1/logout?scope=local", {}, token);
  router_.reset();
  context_.reset();
  access_.reset();
  identity_.reset();
  start(true);
  EXPECT_EQ(user_status(token), 401);
}

TEST_F(Auth, ChangesAPasswordAndSignsTheOthersOut) {
  const std::string first = sign_up().text("access_token");
  const std::string second = log_in(kPassword).text("access_token");
  const Answer changed =
      ask("PUT", "/auth/v1/user", {{"password", "another horse"}, {"data", {{"a", 1}}}}, second);
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.body["user_metadata"]["a"], 1);
  EXPECT_EQ(user_status(first), 401);
  EXPECT_EQ(user_status(second), 200);
  EXPECT_EQ(log_in(kPassword).status, 400);
  EXPECT_EQ(log_in("another horse").status, 200);
}

/// A user with a verified authenticator app.
class SecondFactor : public Auth {
 protected:
  void SetUp() override {
    Auth::SetUp();
    first_ = sign_up().text("access_token");
    const Answer made = ask(
        "POST", "/auth/v1/factors", {{"factor_type", "totp"}, {"friendly_name", "phone"}}, first_);
    ASSERT_EQ(made.status, 200) << made.body;
    factor_ = made.text("id");
    secret_ = from_base32(made.body["totp"]["secret"]);
    const Answer verified = show(first_, code());
    ASSERT_EQ(verified.status, 200) << verified.body;
    second_ = verified.text("access_token");
  }
  std::string code() const {
    return hotp(secret_, static_cast<std::uint64_t>(clock_.wall_us() / 30'000'000));
  }
  Answer show(const std::string& token, const std::string& shown) {
    const std::string path = "/auth/v1/factors/" + factor_;
    const Answer challenge = ask("POST", path + "/challenge", Json::object(), token);
    EXPECT_EQ(challenge.status, 200) << challenge.body;
    return ask(
        "POST", path + "/verify", {{"challenge_id", challenge.text("id")}, {"code", shown}}, token);
  }

  std::string first_;
  std::string second_;
  std::string factor_;
  std::string secret_;
};

TEST_F(SecondFactor, RaisesTheSession) {
  const Json claims = claims_of(second_);
  EXPECT_EQ(claims["aal"], "aal2");
  EXPECT_EQ(claims["amr"][0]["method"], "totp");
  EXPECT_EQ(claims["amr"][1]["method"], "password");
  const Answer user = ask("GET", "/auth/v1/user", {}, second_);
  EXPECT_EQ(user.body["factors"][0]["status"], "verified");
  EXPECT_EQ(one("select count(*) from mfa_factors where secret is null"), "0");
}

TEST_F(SecondFactor, TakesNoCodeTwice) {
  EXPECT_EQ(show(second_, code()).code(), "mfa_verification_failed");
  clock_.advance_ms(30'000);
  EXPECT_EQ(show(second_, code()).status, 200);
}

TEST_F(SecondFactor, IsWantedForWhatTheFirstCouldLose) {
  const std::string token = log_in(kPassword).text("access_token");
  EXPECT_EQ(ask("PUT", "/auth/v1/user", {{"password", "another horse"}}, token).code(),
            "insufficient_aal");
  EXPECT_EQ(ask("DELETE", "/auth/v1/factors/" + factor_, {}, token).code(), "insufficient_aal");
  EXPECT_EQ(ask("POST", "/auth/v1/factors", {{"factor_type", "totp"}}, token).code(),
            "insufficient_aal");
  EXPECT_EQ(ask("DELETE", "/auth/v1/factors/" + factor_, {}, second_).status, 200);
}

TEST_F(SecondFactor, CannotBeGuessed) {
  int wrong = 0;
  for (int i = 0; i < 50; ++i)
    wrong += show(second_, "00000" + std::to_string(i % 10)).status == 422 ? 1 : 0;
  EXPECT_LE(wrong, 5);
  clock_.advance_ms(30'000);
  EXPECT_EQ(show(second_, code()).status, 429);
}

TEST_F(SecondFactor, HasRecoveryCodesThatAreGoodOnce) {
  const std::string path = "/auth/v1/factors/recovery-codes";
  const Answer made = ask("POST", path, {}, second_);
  ASSERT_EQ(made.status, 200) << made.body;
  ASSERT_EQ(made.body["codes"].size(), 10U);
  std::string typed = made.body["codes"][3];
  std::transform(typed.begin(), typed.end(), typed.begin(), [](unsigned char c) {
    return static_cast<char>(std::toupper(c));
  });
  const std::string token = log_in(kPassword).text("access_token");
  EXPECT_EQ(ask("POST", path, {}, token).status, 422);
  EXPECT_EQ(ask("POST", path + "/regenerate", {}, token).code(), "insufficient_aal");
  const Answer raised = ask("POST", path + "/verify", {{"code", typed}}, token);
  ASSERT_EQ(raised.status, 200) << raised.body;
  EXPECT_EQ(claims_of(raised.text("access_token"))["aal"], "aal2");
  EXPECT_EQ(ask("POST", path + "/verify", {{"code", typed}}, token).status, 422);
  EXPECT_EQ(ask("GET", path, {}, token).body["remaining"], 9);
}

TEST_F(Auth, LetsOnlyTheServerAdministerUsers) {
  const std::string ann = sign_up().text("access_token");
  EXPECT_EQ(ask("GET", "/auth/v1/admin/users", {}, ann).status, 403);
  EXPECT_EQ(ask("GET", "/auth/v1/admin/users").status, 401);
  const Answer made = ask("POST",
                          "/auth/v1/admin/users",
                          {{"email", "ben@example.org"},
                           {"password", kPassword},
                           {"email_confirm", true},
                           {"app_metadata", {{"plan", "gold"}}}},
                          kServer);
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.body["app_metadata"]["plan"], "gold");
  EXPECT_EQ(ask("GET", "/auth/v1/admin/users", {}, kServer).body["users"].size(), 2U);
  const std::string token = log_in(kPassword, "ben@example.org").text("access_token");
  const std::string user = "/auth/v1/admin/users/" + made.text("id");
  EXPECT_EQ(ask("PUT", user, {{"ban_duration", "24h"}}, kServer).status, 200);
  EXPECT_EQ(user_status(token), 401);
  EXPECT_EQ(log_in(kPassword, "ben@example.org").code(), "user_banned");
  EXPECT_EQ(ask("DELETE", user, {}, kServer).status, 200);
  EXPECT_EQ(ask("GET", user, {}, kServer).status, 404);
}

TEST_F(Auth, MakesLinksThatSignInOnce) {
  const Answer link = ask("POST",
                          "/auth/v1/admin/generate_link",
                          {{"type", "invite"}, {"email", "ben@example.org"}},
                          kServer);
  ASSERT_EQ(link.status, 200) << link.body;
  const Json shown{{"type", "invite"}, {"token_hash", link.text("hashed_token")}};
  EXPECT_EQ(ask("POST", "/auth/v1/verify", shown).status, 200);
  EXPECT_EQ(ask("POST", "/auth/v1/verify", shown).code(), "otp_expired");
  const Answer late = ask("POST",
                          "/auth/v1/admin/generate_link",
                          {{"type", "recovery"}, {"email", "ben@example.org"}},
                          kServer);
  clock_.advance_ms(3'600'000);
  EXPECT_EQ(ask("POST",
                "/auth/v1/verify",
                {{"type", "recovery"}, {"token_hash", late.text("hashed_token")}})
                .code(),
            "otp_expired");
}

TEST_F(Auth, LimitsGuessesOfMailedCodes) {
  sign_up();
  ask("POST",
      "/auth/v1/admin/generate_link",
      {{"type", "recovery"}, {"email", "ann@example.org"}},
      kServer);
  int evaluated = 0;
  for (int i = 0; i < 40; ++i) {
    const Answer guess =
        ask("POST",
            "/auth/v1/verify",
            {{"type", "recovery"}, {"email", "ann@example.org"}, {"token", "00000x"}});
    evaluated += guess.status == 403 ? 1 : 0;
  }
  EXPECT_EQ(evaluated, 10);
}

TEST_F(Auth, LeadsLinksOnlyWhereTheyMay) {
  EXPECT_EQ(context_->allowed_redirect("https://app.example/x"), "https://app.example/x");
  EXPECT_EQ(context_->allowed_redirect("https://us"), "https://us");
  EXPECT_EQ(context_->allowed_redirect("https://app.example.evil/x"), "https://us");
  EXPECT_EQ(context_->allowed_redirect("https://app.example@evil/x"), "https://us");
  EXPECT_EQ(context_->allowed_redirect("javascript:alert(1)"), "https://us");
  EXPECT_EQ(context_->allowed_redirect(""), "https://us");
}

TEST_F(Auth, GivesProgramsKeysWithScopes) {
  const std::string token = sign_up().text("access_token");
  EXPECT_EQ(ask("POST", "/api/keys", {{"name", "ci"}, {"scopes", {"READ;"}}}, token).status, 400);
  const Answer made =
      ask("POST", "/api/keys", {{"name", "ci"}, {"scopes", {"read"}}, {"expires_in", 60}}, token);
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string key = made.text("key");
  const auto principal = access_->identify({.token = key, .api_key = {}});
  ASSERT_TRUE(principal) << principal.error().message;
  EXPECT_EQ(principal->user, one("select id from users"));
  EXPECT_EQ(Json::parse(principal->claims)["scopes"], Json({"read"}));
  EXPECT_EQ(principal->scopes, std::vector<std::string>{"read"});
  // A key is no login: it makes no keys, and changes no password.
  EXPECT_EQ(ask("POST", "/api/keys", {{"name", "x"}, {"scopes", {"read"}}}, key).status, 403);
  EXPECT_EQ(ask("PUT", "/auth/v1/user", {{"password", "another horse"}}, key).status, 403);
  const Answer list = ask("GET", "/api/keys", {}, token);
  EXPECT_EQ(list.body.dump().find(key), std::string::npos);
  EXPECT_EQ(list.body["keys"][0]["prefix"], key.substr(0, 10));
  EXPECT_EQ(ask("DELETE", "/api/keys/" + made.text("id"), {}, token).status, 204);
  EXPECT_EQ(user_status(key), 401);

  const std::string second =
      ask("POST", "/api/keys", {{"name", "ci"}, {"scopes", {"read"}}, {"expires_in", 60}}, token)
          .text("key");
  EXPECT_EQ(user_status(second), 200);
  clock_.advance_ms(60'000);
  EXPECT_EQ(user_status(second), 401);
}

TEST_F(Auth, TakesTokensOfARetiredKeyUntilTheyExpire) {
  const std::string old = sign_up().text("access_token");
  EXPECT_EQ(ask("POST", "/auth/v1/admin/rotate_keys", {}, kServer).status, 202);
  const auto refresh = [&] {
    return kDatabase->run<Status>(
        [&](storage::Session& session) { return identity_->refresh(session); });
  };
  ASSERT_TRUE(refresh());
  EXPECT_EQ(ask("GET", "/auth/v1/.well-known/jwks.json").body["keys"].size(), 2U);
  EXPECT_EQ(user_status(old), 200);
  const std::string fresh = log_in(kPassword).text("access_token");
  EXPECT_EQ(user_status(fresh), 200);
  EXPECT_NE(old.substr(0, old.find('.')), fresh.substr(0, fresh.find('.')));
  clock_.advance_ms(7'201'000);
  ASSERT_TRUE(refresh());
  EXPECT_EQ(ask("GET", "/auth/v1/.well-known/jwks.json").body["keys"].size(), 1U);
}

TEST_F(Auth, RefusesAnotherIdentityKey) {
  Identity::Options options;
  options.keys.issuer = "https://us/auth/v1";
  const auto other =
      Identity::create(options, SealKey::random(), {kDatabase->pool(), log_, clock_});
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("identity-key"), std::string::npos);
}

TEST_F(Auth, KnowsThePublishableKeyAsNobody) {
  const auto nobody = access_->identify({.token = {}, .api_key = identity_->publishable_key()});
  ASSERT_TRUE(nobody);
  EXPECT_EQ(nobody->role, "anon");
  EXPECT_FALSE(access_->identify({.token = "qyp_wrong", .api_key = {}}));
  EXPECT_EQ(user_status(identity_->publishable_key()), 401);
}

}  // namespace
}  // namespace qylon::api

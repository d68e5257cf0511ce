#include "api/compat/auth_body.hpp"

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

std::string code_challenge(const std::string& body) {
  HttpRequest request;
  request.body = body;
  const auto parsed = AuthBody::parse(request);
  EXPECT_TRUE(parsed);
  return parsed->code_challenge();
}

// RFC 7636, appendix B.
constexpr const char* kHashed = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

TEST(AuthBody, TakesAHashedChallengeAsItIs) {
  EXPECT_EQ(code_challenge(std::string(R"({"code_challenge":")") + kHashed +
                           R"(","code_challenge_method":"s256"})"),
            kHashed);
}

TEST(AuthBody, HashesAPlainChallenge) {
  EXPECT_EQ(code_challenge(R"({"code_challenge":"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",)"
                           R"("code_challenge_method":"plain"})"),
            kHashed);
}

TEST(AuthBody, HasNoChallengeWhereNoneIsSent) {
  EXPECT_EQ(code_challenge(R"({"code_challenge_method":"plain"})"), "");
}

}  // namespace
}  // namespace qylon::api

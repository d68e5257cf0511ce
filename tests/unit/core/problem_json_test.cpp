#include "core/problem_json.hpp"

#include <gtest/gtest.h>

namespace qylon {
namespace {

TEST(Problem, IsOneBodyForRfc9457AndForSupabaseClients) {
  const HttpResponse answer = problem_answer({.status = 422,
                                              .code = "weak_password",
                                              .detail = "too short",
                                              .hint = "12 characters",
                                              .errors = {{"/password", "has 3 characters"}}});
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.content_type, "application/problem+json");
  EXPECT_EQ(answer.body,
            R"({"type":"about:blank","title":"Unprocessable Content","status":422,)"
            R"("detail":"too short","code":"weak_password","error":"weak_password",)"
            R"("message":"too short","details":null,"hint":"12 characters",)"
            R"("errors":[{"pointer":"/password","detail":"has 3 characters"}]})");
  ASSERT_EQ(answer.headers.size(), 2U);
  EXPECT_EQ(answer.headers[1],
            (std::pair<std::string, std::string>("X-Sb-Error-Code", "weak_password")));
}

TEST(Problem, OfARoleThatIsTooLowSaysSoToPeople) {
  const HttpResponse answer = problem_answer(problem_of({ErrorCode::kForbidden, "not yours"}));
  EXPECT_EQ(answer.status, 403);
  EXPECT_NE(answer.body.find(R"("code":"forbidden","error":"Insufficient permissions")"),
            std::string::npos);
}

TEST(Problem, OfAnErrorHasItsStatusAndName) {
  const Problem problem = problem_of({ErrorCode::kConflict, "it moved on"});
  EXPECT_EQ(problem.status, 409);
  EXPECT_EQ(problem.code, "conflict");
  EXPECT_EQ(problem.detail, "it moved on");
}

}  // namespace
}  // namespace qylon

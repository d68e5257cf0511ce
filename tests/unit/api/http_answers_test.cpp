#include "api/http_answers.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

/// Lets in who shows "sesame".
class OnlySesame final : public Access {
 public:
  Result<Principal> identify(const Credentials& credentials) const override {
    if (credentials.token == "sesame") return Principal::service();
    return Error{ErrorCode::kUnauthenticated, "no"};
  }
};

bool allowed(const std::string& header) {
  HttpRequest request;
  request.authorization = header;
  return static_cast<bool>(identify(OnlySesame(), request));
}

std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(Identify, ReadsTheBearerTokenInAnyCase) {
  EXPECT_TRUE(allowed("Bearer sesame"));
  EXPECT_TRUE(allowed("bearer sesame"));
  EXPECT_FALSE(allowed("Basic c2VzYW1l"));
  EXPECT_FALSE(allowed("Bearer"));
  EXPECT_FALSE(allowed(""));
}

TEST(Problem, TellsTheClientWhatToDoNext) {
  EXPECT_EQ(header_of(problem({ErrorCode::kOverloaded, ""}), "Retry-After"), "1");
  EXPECT_EQ(header_of(problem({ErrorCode::kUnavailable, ""}), "Retry-After"), "2");
  EXPECT_EQ(header_of(problem({ErrorCode::kUnauthenticated, ""}), "WWW-Authenticate"), "Bearer");
  EXPECT_EQ(problem({ErrorCode::kNotFound, ""}).status, 404);
}

TEST(MethodNotAllowed, ListsTheMethods) {
  const HttpResponse response = method_not_allowed("GET, HEAD");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(header_of(response, "Allow"), "GET, HEAD");
}

}  // namespace
}  // namespace qylon::api

#include "api/http_answers.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(Problem, TellsTheClientWhatToDoNext) {
  EXPECT_EQ(header_of(problem({ErrorCode::kOverloaded, ""}), "Retry-After"), "1");
  EXPECT_EQ(header_of(problem({ErrorCode::kUnavailable, ""}), "Retry-After"), "2");
  EXPECT_EQ(header_of(problem({ErrorCode::kUnauthenticated, ""}), "WWW-Authenticate"), "Bearer");
  EXPECT_EQ(problem({ErrorCode::kNotFound, ""}).status, 404);
}

}  // namespace
}  // namespace qylon::api

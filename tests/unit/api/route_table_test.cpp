#include "api/core/route_table.hpp"

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

Route route(std::string method, std::string pattern) {
  return {std::move(method),
          std::move(pattern),
          Permission::kOpen,
          [](const CallPtr&, const HttpReply&) {}};
}

class Routes : public testing::Test {
 protected:
  Routes() {
    table_.add({route("GET", "/"),
                route("GET", "/api/meetings"),
                route("POST", "/api/meetings"),
                route("GET", "/api/meetings/{id}"),
                route("POST", "/api/meetings/{id}/end"),
                route("GET", "/api/meetings/search"),
                route("GET", "/files/{bucket}/{path...}"),
                route("PUT", "/files/{bucket}/public"),
                route("GET", "/{page...}")});
  }
  /// "PATTERN [capture,...]", or the methods that there are.
  std::string found(std::string_view method, std::string_view path) const {
    const RouteTable::Match match = table_.find(method, path);
    if (match.route == nullptr) return match.allow;
    std::string text = match.route->pattern;
    for (const std::string& capture : match.captures)
      text += " [" + capture + "]";
    return text;
  }
  RouteTable table_;
};

TEST_F(Routes, AreFoundByMethodAndPath) {
  EXPECT_EQ(found("GET", "/api/meetings"), "/api/meetings");
  EXPECT_EQ(found("GET", "/api/meetings/7"), "/api/meetings/{id} [7]");
  EXPECT_EQ(found("POST", "/api/meetings/7/end"), "/api/meetings/{id}/end [7]");
}

TEST_F(Routes, SayWhatElseThePathTakes) {
  EXPECT_EQ(found("DELETE", "/api/meetings"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(found("GET", "/api/meetings/7/end"), "POST, OPTIONS");
}

TEST_F(Routes, PreferWhatIsWrittenOut) {
  EXPECT_EQ(found("GET", "/api/meetings/search"), "/api/meetings/search");
  EXPECT_EQ(found("PUT", "/files/b/public"), "/files/{bucket}/public [b]");
  EXPECT_EQ(found("GET", "/files/b/public/x"), "/files/{bucket}/{path...} [b] [public/x]");
}

TEST_F(Routes, TakeTheRestOfThePathWhereTheyAskForIt) {
  EXPECT_EQ(found("GET", "/"), "/");
  EXPECT_EQ(found("GET", "/about"), "/{page...} [about]");
  EXPECT_EQ(found("GET", "/api/nothing/there"), "/{page...} [api/nothing/there]");
  EXPECT_EQ(found("GET", "/files/b"), "/files/{bucket}/{path...} [b] []");
  EXPECT_EQ(found("GET", "/api/meetings/"), "/{page...} [api/meetings/]");
}

TEST_F(Routes, NeedASegmentWhereABraceStands) {
  EXPECT_EQ(RouteTable().find("GET", "/").allow, "");
  EXPECT_EQ(found("POST", "/api/meetings//end"), "GET, HEAD, OPTIONS");
}

}  // namespace
}  // namespace qylon::api

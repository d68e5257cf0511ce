#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "web/assets.hpp"

namespace qylon::web {
namespace {

std::optional<HttpResponse> get(const std::string& path) {
  HttpRequest request;
  request.method = "GET";
  request.path = path;
  return serve_page(request);
}

std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(Pages, AreServedWhereTheLinksPoint) {
  EXPECT_NE(get("/")->body.find("<title>Meetings"), std::string::npos);
  EXPECT_NE(get("/m/11111111-2222-4333-8444-555555555555")->body.find("id=\"captions\""),
            std::string::npos);
  EXPECT_EQ(get("/")->content_type, "text/html; charset=utf-8");
}

TEST(Pages, LeaveOtherPathsToOthers) {
  for (const char* path :
       {"/m/", "/m/a/b", "/assets/", "/assets/none.js", "/index.htm", "", "/api/meetings"})
    EXPECT_FALSE(get(path)) << path;
}

TEST(Pages, NameOnlyPartsThatAreThere) {
  for (const std::string page : {"/", "/m/x"}) {
    const std::string body = get(page)->body;
    EXPECT_EQ(body.find("{{"), std::string::npos);
    int parts = 0;
    for (std::size_t at = 0; (at = body.find("\"/assets/", at)) != std::string::npos; ++parts) {
      const std::size_t end = body.find('"', ++at);
      const auto part = get(body.substr(at, end - at));
      ASSERT_TRUE(part) << body.substr(at, end - at);
      EXPECT_NE(header_of(*part, "Cache-Control").find("immutable"), std::string::npos);
    }
    EXPECT_EQ(parts, 3);  // Icon, style, script.
  }
}

// The server's Content-Security-Policy (default-src 'self') would refuse them.
TEST(Pages, HaveNoInlineScriptOrStyleAndNoForeignAddress) {
  for (const Asset& asset : assets()) {
    const std::string body(asset.body);
    EXPECT_EQ(body.find("style=\""), std::string::npos) << asset.path;
    EXPECT_EQ(body.find("<style"), std::string::npos) << asset.path;
    EXPECT_EQ(body.find(" onclick"), std::string::npos) << asset.path;
    EXPECT_EQ(body.find("innerHTML"), std::string::npos) << asset.path;
    EXPECT_EQ(body.find("https://"), std::string::npos) << asset.path;
  }
}

TEST(Assets, HaveTagsThatDiffer) {
  std::set<std::string_view> tags;
  for (const Asset& asset : assets()) {
    EXPECT_TRUE(asset.etag.starts_with('"') && asset.etag.ends_with('"'));
    tags.insert(asset.etag);
  }
  EXPECT_EQ(tags.size(), assets().size());
}

}  // namespace
}  // namespace qylon::web

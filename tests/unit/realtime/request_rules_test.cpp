#include "realtime/request_rules.hpp"

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

RequestHead head_of(const std::string& host) {
  RequestHead head;
  head.method = "GET";
  head.path = "/a";
  head.is_http_1_1 = true;
  head.host = host;
  return head;
}

int status_of(const RequestHead& head, const EdgeRules& rules = {}) {
  const auto refusal = check_request(head, rules);
  return refusal ? refusal->status : 200;
}

TEST(RequestRules, OriginMustBeTheServersOwnOrListed) {
  RequestHead head = head_of("localhost:8080");
  const auto with_origin = [&head](const char* origin, const EdgeRules& rules = {}) {
    head.origin = origin;
    return status_of(head, rules);
  };
  EXPECT_EQ(with_origin("http://localhost:8080"), 200);
  EXPECT_EQ(with_origin("https://localhost:8080"), 200);
  EXPECT_EQ(with_origin("http://localhost"), 403);
  EXPECT_EQ(with_origin("http://localhost:8080.evil.example"), 403);
  EXPECT_EQ(with_origin("null"), 403);
  EdgeRules listed;
  listed.allowed_origins = {"https://app.example"};
  EXPECT_EQ(with_origin("https://app.example", listed), 200);
  EXPECT_EQ(with_origin("http://app.example", listed), 403);
  listed.allowed_origins = {"*"};
  EXPECT_EQ(with_origin("null", listed), 200);
}

TEST(RequestRules, DotDotIsRefusedOnlyAsASegment) {
  RequestHead head = head_of("localhost");
  for (const char* const path : {"/..", "/../a", "/a/../b", "/a/.."}) {
    head.path = path;
    EXPECT_EQ(status_of(head), 400) << path;
  }
  for (const char* const path : {"/", "/..a", "/a..b/c", "/...", "/a..", "/ä"}) {
    head.path = path;
    EXPECT_EQ(status_of(head), 200) << path;
  }
  for (const std::string& path : {std::string("a"), std::string(), std::string("/a\nb")}) {
    head.path = path;
    EXPECT_EQ(status_of(head), 400) << path;
  }
}

TEST(RequestRules, KeepAliveFollowsTheVersionAndTheHeader) {
  RequestHead head = head_of("localhost");
  EXPECT_TRUE(keeps_alive(head));
  head.connection = "foo, Close";
  EXPECT_FALSE(keeps_alive(head));
  head.is_http_1_1 = false;
  head.connection.reset();
  EXPECT_FALSE(keeps_alive(head));
  head.connection = "Keep-Alive";
  EXPECT_TRUE(keeps_alive(head));
}

TEST(RequestRules, ABearerTokenIsReadWhateverItsCase) {
  EXPECT_EQ(bearer_token("bearer  abc "), "abc");
  EXPECT_EQ(bearer_token("Basic abc"), "");
  EXPECT_EQ(bearer_token("Bearer"), "");
  EXPECT_EQ(bearer_token(std::nullopt), "");
}

TEST(RequestRules, AnUpgradeNeedsEveryPartOfItsHandshake) {
  RequestHead head = head_of("localhost");
  head.upgrade = "WebSocket";
  head.connection = "keep-alive, Upgrade";
  head.websocket_key = "dGhlIHNhbXBsZSBub25jZQ==";
  head.websocket_version = "13";
  EXPECT_FALSE(check_upgrade(head));
  head.websocket_protocols = "foo,qylon.v1";
  EXPECT_FALSE(check_upgrade(head));
  head.websocket_protocols = "qylon.v2";
  EXPECT_EQ(check_upgrade(head)->status, 400);
  head.websocket_protocols.reset();
  head.websocket_key = "short";
  EXPECT_EQ(check_upgrade(head)->status, 400);
  head.websocket_key = "dGhlIHNhbXBsZSBub25jZQ==";
  head.method = "POST";
  EXPECT_EQ(check_upgrade(head)->status, 400);
}

}  // namespace
}  // namespace qylon::realtime

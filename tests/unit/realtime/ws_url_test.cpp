#include "realtime/ws_url.hpp"

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

TEST(WsUrl, IsTakenApart) {
  const auto url = parse_ws_url("ws://localhost:8080/v1/uplink?a=b");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->is_tls);
  EXPECT_EQ(url->host, "localhost");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->target, "/v1/uplink?a=b");
  EXPECT_EQ(url->authority(), "localhost:8080");
}

TEST(WsUrl, HasTheDefaultPortsOfRfc6455) {
  EXPECT_EQ(parse_ws_url("ws://h")->port, 80);
  EXPECT_EQ(parse_ws_url("wss://h/")->port, 443);
  EXPECT_EQ(parse_ws_url("wss://h/")->authority(), "h");
  EXPECT_EQ(parse_ws_url("ws://h?x")->target, "/?x");
}

TEST(WsUrl, AnIpv6AddressStandsInBrackets) {
  const auto url = parse_ws_url("ws://[::1]:9/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->authority(), "[::1]:9");
}

TEST(WsUrl, AnythingElseIsRefused) {
  for (const char* const url : {"",
                                "http://h/",
                                "ws://",
                                "ws:///a",
                                "ws://h:/",
                                "ws://h:0/",
                                "ws://h:65536/",
                                "ws://h:8x/",
                                "ws://u@h/",
                                "ws://h/#f",
                                "ws://h/a b",
                                "ws://h/\r\nX: y",
                                "ws://[::1",
                                "ws://[]/",
                                "ws://[[a]/",
                                "ws://[::1]x/"})
    EXPECT_FALSE(parse_ws_url(url)) << url;
}

}  // namespace
}  // namespace qylon::realtime

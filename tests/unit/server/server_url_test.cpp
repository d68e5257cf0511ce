#include "server/server_url.hpp"

#include <gtest/gtest.h>

#include "tests/support/fuzz_corpus.hpp"

#define LLVMFuzzerTestOneInput fuzz_server_url
#include "tests/fuzz/server_server_url_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace qylon::server {
namespace {

TEST(ServerUrl, TurnsIntoAWebSocketAddress) {
  const auto url = parse_server_url("http://127.0.0.1:8080");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->websocket("/v1/uplink"), "ws://127.0.0.1:8080/v1/uplink");
  EXPECT_EQ(url->http("/m/1"), "http://127.0.0.1:8080/m/1");
}

TEST(ServerUrl, LeavesTheSchemesOwnPortOut) {
  const auto url = parse_server_url("https://captions.example/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->websocket("/x"), "wss://captions.example/x");
}

TEST(ServerUrl, KeepsAnIpv6AddressInBrackets) {
  // RFC 3986 section 3.2.2.
  const auto url = parse_server_url("ws://[::1]:9000");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->authority(), "[::1]:9000");
}

class WrongServerUrl : public ::testing::TestWithParam<const char*> {};

TEST_P(WrongServerUrl, IsRefusedWithTheRightForm) {
  const auto url = parse_server_url(GetParam());
  ASSERT_FALSE(url) << GetParam();
  EXPECT_NE(url.error().message.find("http://HOST:PORT"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Table,
                         WrongServerUrl,
                         ::testing::Values("",
                                           "localhost:8080",
                                           "ftp://host",
                                           "http://",
                                           "http://:80",
                                           "http://host:",
                                           "http://host:0",
                                           "http://host:65536",
                                           "http://host:8x",
                                           "http://user@host",
                                           "http://host/path",
                                           "http://host?x",
                                           "http://a b",
                                           "http://a\r\nb",
                                           "http://[::1",
                                           "http://[::1]9000"));

TEST(ServerUrl, MeansTheSameWhenItIsWrittenAgain) {
  EXPECT_GE(test::replay_corpus("server_server_url_fuzz", fuzz_server_url), 5);
}

}  // namespace
}  // namespace qylon::server

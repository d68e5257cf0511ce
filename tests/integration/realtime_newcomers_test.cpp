// Connections that do not say what they want, over real sockets.
#include <memory>
#include <string>
#include <vector>

#include "tests/support/edge_fixture.hpp"
#include "tests/support/polling.hpp"

namespace qylon {
namespace {

using test::client_frame;
using test::read_frame;

constexpr const char* kGet = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

class EdgeNewcomers : public test::EdgeFixture {
 protected:
  static constexpr std::size_t kMax = 4;

  void SetUp() override {
    realtime::EdgeServer::Options options;
    options.newcomers_max = kMax;
    start(options);
  }
  void fill_up() {
    for (std::size_t i = 0; i < kMax; ++i) {
      silent_.push_back(std::make_unique<test::RawSocket>(edge_->port()));
      silent_.back()->send("GET / HT");  // As slow as a client can be.
    }
    EXPECT_TRUE(test::poll_until([this] { return newcomers() == kMax; }));
  }
  void pass_a_second() { clock_.ahead_us += 1'100'000; }
  std::int64_t newcomers() { return counters_.gauge("qylon_edge_newcomers", "").value(); }
  std::uint64_t count(const std::string& name) { return counters_.counter(name, "").value(); }

  std::vector<std::unique_ptr<test::RawSocket>> silent_;
};

TEST_F(EdgeNewcomers, KeepTheNextOneWaitingUntilTheyMakeWay) {
  fill_up();
  test::RawSocket next(edge_->port());
  next.send(kGet);
  EXPECT_FALSE(next.read_some(200));
  EXPECT_FALSE(next.closed());
  EXPECT_EQ(count("qylon_edge_accept_pauses_total"), 1U);
  pass_a_second();
  EXPECT_TRUE(next.read_until("GET /a"));
  EXPECT_GE(count("qylon_edge_newcomers_shed_total"), 1U);
}

TEST_F(EdgeNewcomers, AreNoneOnceTheyHaveAsked) {
  for (std::size_t i = 0; i < 3 * kMax; ++i) {
    silent_.push_back(std::make_unique<test::RawSocket>(edge_->port()));
    silent_.back()->send(kGet);
    EXPECT_TRUE(silent_.back()->read_until("GET /a"));
  }
  pass_a_second();
  EXPECT_EQ(newcomers(), 0);
  EXPECT_EQ(count("qylon_edge_accept_pauses_total"), 0U);
}

TEST_F(EdgeNewcomers, AreWebSocketsUntilTheySayForWhomTheySpeak) {
  auto silent = open_websocket("/v1/subscribe");
  auto good = open_websocket("/v1/subscribe");
  good->send(subscribe());
  EXPECT_NE(read_frame(*good).payload.find(R"("type":"position")"), std::string::npos);
  auto uplink = open_websocket("/v1/uplink");
  uplink->send(hello());
  EXPECT_NE(read_frame(*uplink).payload.find(R"("type":"welcome")"), std::string::npos);
  EXPECT_EQ(newcomers(), 1);
  silent->send(client_frame(1, R"({"type":"ping"})"));
  EXPECT_EQ(read_frame(*silent).payload, R"({"type":"pong"})");
  EXPECT_EQ(newcomers(), 1);
}

TEST_F(EdgeNewcomers, ThatAreWebSocketsAreToldToComeBack) {
  auto first = open_websocket("/v1/subscribe");
  auto second = open_websocket("/v1/uplink");
  pass_a_second();
  for (const auto& socket : {first.get(), second.get()}) {
    const std::string error = read_frame(*socket).payload;
    EXPECT_NE(error.find(R"("close":4006)"), std::string::npos) << error;
    EXPECT_NE(error.find("retry_after_ms"), std::string::npos) << error;
    EXPECT_EQ(read_frame(*socket).close_code(), 4006);
  }
}

// Real time: the limit is libwebsockets' own, 10 s, and it is told to look once a second.
TEST_F(EdgeNewcomers, AreCutOffAfterTenSecondsThoughNothingElseHappens) {
  start({});
  test::RawSocket silent(edge_->port());
  test::RawSocket slow(edge_->port());
  slow.send("GET / HT");
  EXPECT_FALSE(silent.read_some(12'500));
  EXPECT_TRUE(silent.closed());
  EXPECT_FALSE(slow.read_some(2'500));
  EXPECT_TRUE(slow.closed());
}

TEST_F(EdgeNewcomers, AreNoneOnceTheyAreGone) {
  fill_up();
  silent_.clear();
  EXPECT_TRUE(test::poll_until([this] { return newcomers() == 0; }));
  EXPECT_NE(exchange(kGet).find("GET /a"), std::string::npos);
}

}  // namespace
}  // namespace qylon

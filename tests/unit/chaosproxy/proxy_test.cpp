#include "bench/chaosproxy/proxy.hpp"

#include <array>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/loopback.hpp"

namespace qylon::chaosproxy {
namespace {

/// A client and a server with the proxy between them, over real sockets and a fake clock.
class ProxyTest : public ::testing::Test {
 protected:
  ProxyTest() {
    Proxy::Options options;
    options.server_port = listener_.port();
    auto proxy = Proxy::listen(options, clock_);
    EXPECT_TRUE(proxy);
    proxy_ = *std::move(proxy);
    client_ = connect();
    EXPECT_TRUE(until([this] {
      server_ = listener_.accept(0, SOCK_NONBLOCK | SOCK_CLOEXEC);
      return static_cast<bool>(server_);
    }));
  }

  UniqueFd connect() const {
    UniqueFd client = test::connect_to_loopback(proxy_->port());
    EXPECT_TRUE(client);
    return client;
  }

  /// Steps the proxy until `done`; false after two seconds.
  bool until(const std::function<bool()>& done) {
    for (int i = 0; i < 200; ++i) {
      proxy_->step();
      if (done()) return true;
      pollfd waiting{proxy_->descriptor(), POLLIN, 0};
      ::poll(&waiting, 1, 10);
    }
    return false;
  }
  /// A few steps in which nothing is expected to happen.
  void idle() {
    for (int i = 0; i < 5; ++i) {
      pollfd waiting{proxy_->descriptor(), POLLIN, 0};
      ::poll(&waiting, 1, 5);
      proxy_->step();
    }
  }
  static void send(const UniqueFd& socket, std::string_view text) {
    EXPECT_EQ(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  /// What has arrived; "FIN" and "RST" for an end.
  static std::string take(const UniqueFd& socket) {
    std::array<char, 1000> buffer{};
    const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got == 0) return "FIN";
    if (got < 0) return errno == ECONNRESET ? "RST" : "";
    return {buffer.data(), static_cast<std::size_t>(got)};
  }
  bool arrives(const UniqueFd& socket, const std::string& text) {
    return until([&] { return take(socket) == text; });
  }

  test::FakeClock clock_;
  test::LoopbackListener listener_;
  std::unique_ptr<Proxy> proxy_;
  UniqueFd client_;
  UniqueFd server_;
};

TEST_F(ProxyTest, PassesBothWaysAndBothEnds) {
  send(client_, "up");
  EXPECT_TRUE(arrives(server_, "up"));
  send(server_, "down");
  EXPECT_TRUE(arrives(client_, "down"));
  ::shutdown(client_.get(), SHUT_WR);
  EXPECT_TRUE(arrives(server_, "FIN"));
  server_.reset();
  EXPECT_TRUE(arrives(client_, "FIN"));
  EXPECT_TRUE(until([this] { return proxy_->connections() == 0; }));
}

TEST_F(ProxyTest, LatencyIsOneDirectionsOnly) {
  EXPECT_EQ(proxy_->obey("up latency=100"), "ok");
  send(client_, "late");
  send(server_, "prompt");
  EXPECT_TRUE(arrives(client_, "prompt"));
  idle();
  EXPECT_EQ(take(server_), "");
  clock_.advance_ms(100);
  EXPECT_TRUE(arrives(server_, "late"));
}

TEST_F(ProxyTest, AStallHoldsBackAndThenPassesEverything) {
  EXPECT_EQ(proxy_->obey("stall 5000").substr(0, 2), "ok");
  send(client_, "held");
  idle();
  EXPECT_EQ(take(server_), "");
  clock_.advance_ms(5000);
  EXPECT_TRUE(arrives(server_, "held"));
}

TEST_F(ProxyTest, AResetReachesBothSides) {
  EXPECT_EQ(proxy_->obey("rst"), "ok resets=1");
  EXPECT_TRUE(arrives(server_, "RST"));
  EXPECT_TRUE(arrives(client_, "RST"));
  EXPECT_EQ(proxy_->connections(), 0U);
}

TEST_F(ProxyTest, ACutResetsAfterThatManyBytes) {
  EXPECT_EQ(proxy_->obey("down cut=4"), "ok");
  send(server_, "1234567");
  EXPECT_TRUE(until([this] { return proxy_->connections() == 0; }));
  EXPECT_EQ(take(server_), "RST");
}

TEST_F(ProxyTest, AHalfClosedClientStillSends) {
  EXPECT_EQ(proxy_->obey("halfclose").substr(0, 2), "ok");
  EXPECT_TRUE(arrives(client_, "FIN"));
  send(client_, "more");
  EXPECT_TRUE(arrives(server_, "more"));
}

TEST_F(ProxyTest, AForgottenConnectionStaysOpenAndSilentWhileNewOnesWork) {
  EXPECT_EQ(proxy_->obey("forget").substr(0, 2), "ok");
  send(client_, "lost");
  idle();
  EXPECT_EQ(take(server_), "");
  const UniqueFd another = connect();
  UniqueFd accepted;
  EXPECT_TRUE(until([&] {
    accepted = listener_.accept(0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return static_cast<bool>(accepted);
  }));
  send(another, "new");
  EXPECT_TRUE(arrives(accepted, "new"));
}

TEST_F(ProxyTest, AWrongOrderIsAnswered) {
  EXPECT_EQ(proxy_->obey("dance").substr(0, 5), "error");
  EXPECT_EQ(proxy_->obey("up speed=3").substr(0, 5), "error");
  EXPECT_NE(proxy_->obey("stats").find("connections=1 accepted=1"), std::string::npos);
}

TEST_F(ProxyTest, AServerThatIsNotThereResetsTheClient) {
  listener_.close();
  const UniqueFd refused = connect();
  EXPECT_TRUE(arrives(refused, "RST"));
}

}  // namespace
}  // namespace qylon::chaosproxy

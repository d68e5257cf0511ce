#pragma once
/// A real EdgeServer on a free loopback port with small parts behind it.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "realtime/edge_server.hpp"
#include "tests/support/edge_doubles.hpp"
#include "tests/support/raw_socket.hpp"

namespace qylon::test {

class EdgeFixture : public ::testing::Test {
 protected:
  void SetUp() override { start({}); }

  void start(realtime::EdgeServer::Options options) {
    edge_.reset();
    ingress_.meeting = history_.meeting;
    options.port = 0;
    auto edge = realtime::EdgeServer::start(
        options, {http_, access_, ingress_, history_, log_, counters_, clock_, gate_});
    ASSERT_TRUE(edge) << edge.error().message;
    edge_ = *std::move(edge);
  }

  /// Sends `bytes` on a connection of their own and reads until it is closed or silent.
  std::string exchange(std::string_view bytes, int timeout_ms = 400) const {
    RawSocket socket(edge_->port());
    socket.send(bytes);
    return socket.read_all(timeout_ms);
  }

  static std::string upgrade(std::string_view path, std::string_view more_headers = "") {
    return "GET " + std::string(path) +
           " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
           std::string(more_headers) + "\r\n";
  }

  /// A WebSocket whose handshake is done.
  std::unique_ptr<RawSocket> open_websocket(std::string_view path) const {
    auto socket = std::make_unique<RawSocket>(edge_->port());
    socket->send(upgrade(path));
    EXPECT_TRUE(socket->read_until("\r\n\r\n"));
    EXPECT_EQ(socket->received().substr(0, 12), "HTTP/1.1 101");
    socket->forget(socket->received().find("\r\n\r\n") + 4);
    return socket;
  }

  void publish_final(std::uint64_t offset) {
    edge_->hub().publish({history_.meeting,
                          history_.epoch,
                          realtime::Topic::kCaptions,
                          std::make_shared<const std::string>(final_json(offset)),
                          offset,
                          offset});
  }
  std::string subscribe(std::string_view from = "") const {
    const std::string topic = "\"meeting/" + history_.meeting.to_string() + "/captions\"";
    return client_frame(
        1, R"({"type":"subscribe","topics":[)" + topic + "]" + std::string(from) + "}");
  }
  std::string hello(std::string_view track = R"({"track":0,"codec":"opus",)"
                                             R"("sample_rate_hz":48000,"channels":1})") const {
    return client_frame(1,
                        R"({"type":"hello","meeting":")" + history_.meeting.to_string() +
                            R"(","clock":{"id":")" + ClockId::random().to_string() +
                            R"("},"tracks":[)" + std::string(track) + "]}");
  }

  /// The machine's clock, as much ahead as the test says.
  class AgingClock final : public Clock {
   public:
    std::int64_t monotonic_us() const noexcept override {
      return system_.monotonic_us() + ahead_us.load();
    }
    std::int64_t wall_us() const noexcept override { return system_.wall_us() + ahead_us.load(); }
    std::atomic<std::int64_t> ahead_us{0};

   private:
    SystemClock system_;
  };

  AgingClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  EchoHandler http_;
  TestAccess access_;
  TestIngress ingress_;
  TestHistory history_;
  TestGate gate_;
  std::unique_ptr<realtime::EdgeServer> edge_;
};

}  // namespace qylon::test

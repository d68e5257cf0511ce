/// A client that sends anything, through a real socket, libwebsockets and our callbacks. The first
/// byte chooses where it begins: with the request line, or behind a handshake of either path; every
/// zero byte pair cuts what follows into a write of its own. Nothing may abort or hang: the server
/// closes within the time that a client of good will gets.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/check.hpp"
#include "realtime/edge_server.hpp"
#include "tests/support/edge_doubles.hpp"
#include "tests/support/raw_socket.hpp"

namespace {

namespace realtime = qylon::realtime;

/// Takes every frame of every track and keeps none.
class Sink final : public qylon::media::TrackUplink {
 public:
  explicit Sink(qylon::TrackId id) : id_(id) {}
  Posted post(qylon::media::UplinkFrame&& frame) override {
    next_ = frame.seq + 1;
    return Posted::kAccepted;
  }
  Posted standing() const noexcept override { return Posted::kAccepted; }
  qylon::TrackId track() const noexcept override { return id_; }
  std::uint64_t next_seq() const noexcept override { return next_; }
  std::optional<std::uint64_t> durable_seq() const noexcept override { return next_; }
  std::int64_t heard_ms() const noexcept override { return 0; }

 private:
  const qylon::TrackId id_;
  std::uint64_t next_ = 0;
};

class AnyMeeting final : public qylon::media::Ingress {
 public:
  void open(qylon::media::UplinkHello hello, Opened opened) override {
    std::vector<std::shared_ptr<qylon::media::TrackUplink>> tracks;
    for (const auto& track : hello.tracks)
      tracks.push_back(std::make_shared<Sink>(track.track));
    opened(std::move(tracks));
  }
};

class World {
 public:
  World() {
    realtime::EdgeServer::Options options;
    options.port = 0;
    auto edge = realtime::EdgeServer::start(
        options, {http_, access_, ingress_, history_, log_, counters_, clock_, gate_});
    QYLON_CHECK(edge);
    edge_ = *std::move(edge);
  }
  void play(std::uint8_t start, std::string_view bytes) {
    qylon::test::RawSocket socket(edge_->port());
    QYLON_CHECK(socket.connected());
    if (start % 3 != 0) {
      socket.send(std::string("GET ") + (start % 3 == 1 ? "/v1/uplink" : "/v1/subscribe") +
                  " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                  "\r\n");
      QYLON_CHECK(socket.read_until("\r\n\r\n"));
    }
    constexpr std::string_view kCut("\0\0", 2);
    while (!bytes.empty()) {
      const std::size_t cut = bytes.find(kCut);
      socket.send(bytes.substr(0, cut));
      if (cut == std::string_view::npos) break;
      bytes.remove_prefix(cut + kCut.size());
    }
    ::shutdown(socket.fd(), SHUT_WR);
    socket.read_all(kPatienceMs);
    http_.take_later();
    // A reset leaves no connection behind in TIME_WAIT, of which there are only so many.
    const linger now{1, 0};
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }

 private:
  static constexpr int kPatienceMs = 2000;

  qylon::SystemClock clock_;
  qylon::Log log_{clock_, qylon::LogLevel::kError};
  qylon::Counters counters_;
  qylon::test::EchoHandler http_;
  qylon::test::TestAccess access_;
  AnyMeeting ingress_;
  qylon::test::TestHistory history_;
  qylon::test::TestGate gate_;
  std::unique_ptr<realtime::EdgeServer> edge_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size == 0 || size > 65'536) return 0;
  world.play(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}

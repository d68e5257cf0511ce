#pragma once
/// A real EdgeServer on a free loopback port with small parts behind it.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/sync.hpp"
#include "realtime/edge_server.hpp"
#include "tests/support/raw_socket.hpp"

namespace qylon::test {

/// Echoes the request as text; some paths behave specially.
class EchoHandler final : public HttpHandler {
 public:
  void handle(HttpRequest request, HttpReply reply) override {
    ++handled;
    if (request.path == "/later") {
      const MutexLock lock(mutex_);
      later_.push_back(std::move(reply));
      return;
    }
    HttpResponse response;
    response.content_type = "text/plain";
    response.body = request.method + " " + request.path + " [" + request.body + "]";
    for (const auto& [name, value] : request.query)
      response.body += " " + name + "=" + value;
    if (request.path == "/big") response.body.assign(16 << 20, 'x');
    if (request.path == "/file") response.file_path = file_path;
    reply(std::move(response));
  }
  std::vector<HttpReply> take_later() {
    const MutexLock lock(mutex_);
    return std::exchange(later_, {});
  }

  std::atomic<int> handled{0};
  std::string file_path;

 private:
  Mutex mutex_;
  std::vector<HttpReply> later_ QYLON_GUARDED_BY(mutex_);
};

/// Loopback is welcome, or the token "secret" when one is required.
class TestAccess final : public Access {
 public:
  Status check(const Credentials& credentials) const override {
    if (!token_required || credentials.token == "secret") return ok();
    return Error{ErrorCode::kUnauthenticated, "show the token"};
  }
  std::atomic<bool> token_required{false};
};

class TestTrack final : public media::TrackUplink {
 public:
  explicit TestTrack(TrackId id) : id_(id) {}

  Posted post(media::UplinkFrame&& frame) override {
    const Posted posted = answer;
    if (posted != Posted::kAccepted) return posted;
    const MutexLock lock(mutex_);
    frames_.push_back(std::move(frame));
    next_ = frames_.back().seq + 1;
    return posted;
  }
  Posted standing() const noexcept override {
    const Posted posted = answer;
    return posted == Posted::kBusy ? Posted::kAccepted : posted;
  }
  TrackId track() const noexcept override { return id_; }
  std::uint64_t next_seq() const noexcept override { return next_; }
  std::optional<std::uint64_t> durable_seq() const noexcept override { return durable.load(); }
  std::size_t frames() const {
    const MutexLock lock(mutex_);
    return frames_.size();
  }

  std::atomic<Posted> answer{Posted::kAccepted};
  std::atomic<std::uint64_t> durable{0};

 private:
  const TrackId id_;
  mutable Mutex mutex_;
  std::vector<media::UplinkFrame> frames_ QYLON_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> next_{0};
};

/// Knows one meeting.
class TestIngress final : public media::Ingress {
 public:
  void open(media::UplinkHello hello, Opened opened) override {
    if (hello.meeting != meeting) return opened(Error{ErrorCode::kNotFound, "no such meeting"});
    if (ended) return opened(Error{ErrorCode::kConflict, "the meeting has ended"});
    std::vector<std::shared_ptr<media::TrackUplink>> tracks;
    const MutexLock lock(mutex_);
    for (const auto& track : hello.tracks) {
      auto& known = tracks_[track.track];
      if (known == nullptr) known = std::make_shared<TestTrack>(track.track);
      tracks.push_back(known);
    }
    opened(std::move(tracks));
  }
  std::shared_ptr<TestTrack> track(TrackId id) {
    const MutexLock lock(mutex_);
    return tracks_[id];
  }

  MeetingId meeting = MeetingId::random();
  std::atomic<bool> ended{false};

 private:
  Mutex mutex_;
  std::map<TrackId, std::shared_ptr<TestTrack>> tracks_ QYLON_GUARDED_BY(mutex_);
};

/// Finals 1..n of one meeting.
class TestHistory final : public realtime::History {
 public:
  void read(MeetingId asked, std::uint64_t after, std::size_t limit, Answer answer) override {
    ++reads;
    if (failing) return answer(Error{ErrorCode::kUnavailable, "the database is away"});
    if (asked != meeting) return answer(Error{ErrorCode::kNotFound, "no such meeting"});
    Page page;
    page.epoch = epoch;
    {
      const MutexLock lock(mutex_);
      page.last_offset = finals_.size();
      for (std::uint64_t i = after; i < finals_.size() && page.finals.size() < limit; ++i)
        page.finals.emplace_back(i + 1, finals_[i]);
      page.status = status_;
    }
    answer(std::move(page));
  }
  void add(const std::string& json) {
    const MutexLock lock(mutex_);
    finals_.push_back(std::make_shared<const std::string>(json));
  }
  void set_status(const std::string& json) {
    const MutexLock lock(mutex_);
    status_ = std::make_shared<const std::string>(json);
  }

  MeetingId meeting = MeetingId::random();
  Epoch epoch = Epoch::random();
  std::atomic<bool> failing{false};
  std::atomic<int> reads{0};

 private:
  Mutex mutex_;
  std::vector<std::shared_ptr<const std::string>> finals_ QYLON_GUARDED_BY(mutex_);
  std::shared_ptr<const std::string> status_ QYLON_GUARDED_BY(mutex_);
};

/// A small caption-like text with the given offset in it.
inline std::string final_json(std::uint64_t offset) {
  return R"({"type":"caption","final":true,"offset":)" + std::to_string(offset) + "}";
}

class EdgeFixture : public ::testing::Test {
 protected:
  void SetUp() override { start({}); }

  void start(realtime::EdgeServer::Options options) {
    edge_.reset();
    ingress_.meeting = history_.meeting;
    options.port = 0;
    auto edge = realtime::EdgeServer::start(
        options, {http_, access_, ingress_, history_, log_, counters_, clock_});
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

  SystemClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  EchoHandler http_;
  TestAccess access_;
  TestIngress ingress_;
  TestHistory history_;
  std::unique_ptr<realtime::EdgeServer> edge_;
};

}  // namespace qylon::test

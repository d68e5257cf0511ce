#pragma once
/// What the benches of the edge share: a real EdgeServer with empty parts behind it, load that runs
/// in another process so that CPU time here is the server's own.

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.hpp"
#include "core/check.hpp"
#include "realtime/edge_server.hpp"
#include "tests/support/loopback.hpp"

namespace qylon::bench {

class NoHttp final : public HttpHandler {
 public:
  void handle(HttpRequest /*request*/, HttpReply reply) override { reply({}); }
};
/// Nobody asks it: the benchmarks' clients are the server itself.
class NoGate final : public MeetingGate {
 public:
  void ask(const Principal&, MeetingId, MeetingVerb, Answer answer) override { answer(ok()); }
  Result<MeetingPass> redeem(std::string_view) override {
    return Error{ErrorCode::kUnauthenticated, "no tickets here"};
  }
};
class AllowAll final : public Access {
 public:
  Result<Principal> identify(const Credentials& /*credentials*/) const override {
    return Principal::service();
  }
};
/// Takes every frame and counts.
class CountingTrack final : public media::TrackUplink {
 public:
  CountingTrack(TrackId id, std::atomic<std::uint64_t>& frames) : id_(id), frames_(frames) {}
  Posted post(media::UplinkFrame&& frame) override {
    next_ = frame.seq + 1;
    ++frames_;
    return Posted::kAccepted;
  }
  Posted standing() const noexcept override { return Posted::kAccepted; }
  TrackId track() const noexcept override { return id_; }
  std::uint64_t next_seq() const noexcept override { return next_; }
  std::optional<std::uint64_t> durable_seq() const noexcept override { return next_; }
  std::int64_t heard_ms() const noexcept override { return 0; }

 private:
  const TrackId id_;
  std::atomic<std::uint64_t>& frames_;
  std::uint64_t next_ = 0;
};
class CountingIngress final : public media::Ingress {
 public:
  void open(media::UplinkHello hello, Opened opened) override {
    std::vector<std::shared_ptr<media::TrackUplink>> tracks;
    for (const auto& track : hello.tracks)
      tracks.push_back(std::make_shared<CountingTrack>(track.track, frames));
    ++opens;
    opened(std::move(tracks));
  }
  std::atomic<int> opens{0};
  std::atomic<std::uint64_t> frames{0};
};
class EmptyHistory final : public realtime::History {
 public:
  explicit EmptyHistory(Epoch epoch) : epoch_(epoch) {}
  void read(MeetingId /*meeting*/,
            std::uint64_t /*after*/,
            std::size_t /*limit*/,
            Answer answer) override {
    ++reads;
    answer(Page{epoch_, 0, {}, nullptr});
  }
  std::atomic<int> reads{0};

 private:
  const Epoch epoch_;
};

/// An edge on a free loopback port.
struct Edge {
  Edge() {
    realtime::EdgeServer::Options options;
    options.port = 0;
    server = *realtime::EdgeServer::start(
        options, {http, access, ingress, history, log, counters, clock, gate});
  }
  std::int64_t connections() { return counters.gauge("qylon_edge_connections", "").value(); }
  void wait_for_connections(std::int64_t count) {
    while (connections() != count)
      wait_ms(5);
  }
  void wait_for_reads(int count) {
    while (history.reads < count)
      wait_ms(5);
  }

  MeetingId meeting = MeetingId::random();
  Epoch epoch = Epoch::random();
  SystemClock clock;
  Log log{clock, LogLevel::kError};
  Counters counters;
  NoHttp http;
  AllowAll access;
  NoGate gate;
  CountingIngress ingress;
  EmptyHistory history{epoch};
  std::unique_ptr<realtime::EdgeServer> server;
};

inline int connect_to(int port) {
  UniqueFd socket = test::connect_to_loopback(port);
  QYLON_CHECK(socket);
  return socket.release();
}

/// Header with a mask of zeros, which leaves the payload as it is. 1: text, 2: binary.
inline std::string client_frame(int opcode, const std::string& payload) {
  QYLON_CHECK(payload.size() < 65'536);
  std::string frame(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    frame.push_back(static_cast<char>(0xFE));
    frame.push_back(static_cast<char>(payload.size() >> 8));
    frame.push_back(static_cast<char>(payload.size() & 0xFF));
  }
  return frame.append(4, '\0').append(payload);
}

inline std::string subscribe_frame(MeetingId meeting) {
  return client_frame(
      1, R"({"type":"subscribe","topics":["meeting/)" + meeting.to_string() + R"(/captions"]})");
}

/// A WebSocket on `path`, its handshake done and `first_message` sent.
inline int open_websocket(int port, const std::string& path, const std::string& first_message) {
  const int fd = connect_to(port);
  const std::string handshake =
      "GET " + path +
      " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  std::array<char, 1024> answer{};
  QYLON_CHECK(::send(fd, handshake.data(), handshake.size(), 0) > 0);
  QYLON_CHECK(::recv(fd, answer.data(), answer.size(), 0) > 0);
  if (first_message.empty()) return fd;
  QYLON_CHECK(::send(fd, first_message.data(), first_message.size(), MSG_NOSIGNAL) > 0);
  return fd;
}

/// A child process that runs `work` and exits. It begins with a default SIGPIPE and never takes the
/// processor from a server that it wakes.
class Load {
 public:
  explicit Load(const std::function<void()>& work) : child_(::fork()) {
    QYLON_CHECK(child_ >= 0);
    if (child_ != 0) return;
    const sched_param no_priority{};
    ::sched_setscheduler(0, SCHED_BATCH, &no_priority);
    work();
    std::_Exit(0);
  }
  ~Load() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  Load(Load&&) = delete;
  Load& operator=(Load&&) = delete;
  void resume() const { ::kill(child_, SIGCONT); }

 private:
  const pid_t child_;
};

/// Reads and drops what comes on `fds`, for ever; what is read is shown to `on_bytes`.
inline void read_for_ever(const std::vector<int>& fds,
                          const std::function<void(const char*, std::size_t)>& on_bytes = {}) {
  const int poller = ::epoll_create1(0);
  for (const int fd : fds) {
    epoll_event event{EPOLLIN, {}};
    event.data.fd = fd;
    ::epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
  std::array<char, 1 << 16> buffer{};
  std::array<epoll_event, 256> ready{};
  for (;;) {
    const int n = ::epoll_wait(poller, ready.data(), static_cast<int>(ready.size()), -1);
    for (int i = 0; i < n; ++i) {
      const int fd = ready[static_cast<std::size_t>(i)].data.fd;
      const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      if (on_bytes) on_bytes(buffer.data(), static_cast<std::size_t>(got));
    }
  }
}

inline constexpr int kRawBacklog = 4096;

/// The peers of a raw loop.
inline std::vector<int> accept_all(const test::LoopbackListener& listener, std::size_t count) {
  std::vector<int> peers;
  while (peers.size() < count)
    peers.push_back(listener.accept(-1, 0).release());
  return peers;
}

inline void close_all(const std::vector<int>& fds) {
  for (const int fd : fds)
    ::close(fd);
}

/// As many descriptors as this process may have.
inline void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace qylon::bench

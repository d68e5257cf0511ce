// What it costs the server to deliver one caption to one subscriber, against a raw loop of send(2)
// over epoll-drained sockets in the same run. The subscribers are another process, so the server's
// CPU is this process's own.
//
//   realtime_fanout_bench [subscribers] [messages]
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/check.hpp"
#include "core/sync.hpp"
#include "realtime/edge_server.hpp"
#include "realtime/frame.hpp"

namespace qylon::realtime {
namespace {

constexpr std::size_t kCaptionBytes = 250;
constexpr std::int64_t kPaceUs = 100'000;  // Ten captions a second, as a lively meeting has.

double process_cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

double resident_bytes() {
  long pages = 0;
  long resident = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file != nullptr) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

class NoHttp final : public HttpHandler {
 public:
  void handle(HttpRequest /*request*/, HttpReply reply) override { reply({}); }
};
class AllowAll final : public Access {
 public:
  Status check(const Credentials& /*credentials*/) const override { return ok(); }
};
class NoIngress final : public media::Ingress {
 public:
  void open(media::UplinkHello /*hello*/, Opened opened) override {
    opened(Error{ErrorCode::kNotFound, "none"});
  }
};
class EmptyHistory final : public History {
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

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  QYLON_CHECK(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  return fd;
}

std::string masked_text_frame(const std::string& text) {
  QYLON_CHECK(text.size() > 125 && text.size() < 65'536);
  std::string frame("\x81\xFE", 2);
  frame.push_back(static_cast<char>(text.size() >> 8));
  frame.push_back(static_cast<char>(text.size() & 0xFF));
  return frame.append(4, '\0').append(text);  // A mask of zeros leaves the text as it is.
}

// The subscribers: connect, subscribe, then read for ever.
[[noreturn]] void run_readers(int port, int count, const std::string& subscribe) {
  // Else each message would wake a reader that takes the server's processor away.
  const sched_param no_priority{};
  ::sched_setscheduler(0, SCHED_BATCH, &no_priority);
  const int poller = ::epoll_create1(0);
  const std::string handshake =
      "GET /v1/subscribe HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Version: 13\r\n\r\n";
  std::array<char, 1 << 16> buffer{};
  for (int i = 0; i < count; ++i) {
    const int fd = connect_to(port);
    epoll_event event{EPOLLIN, {}};
    ::epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    event.data.fd = fd;
    ::epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event);
    if (subscribe.empty()) continue;
    QYLON_CHECK(::send(fd, handshake.data(), handshake.size(), 0) > 0);
    QYLON_CHECK(::recv(fd, buffer.data(), buffer.size(), 0) > 0);
    QYLON_CHECK(::send(fd, subscribe.data(), subscribe.size(), 0) > 0);
  }
  std::array<epoll_event, 256> ready{};
  for (;;) {
    const int n = ::epoll_wait(poller, ready.data(), static_cast<int>(ready.size()), -1);
    for (int i = 0; i < n; ++i) {
      const int fd = ready[static_cast<std::size_t>(i)].data.fd;
      if (::recv(fd, buffer.data(), buffer.size(), 0) <= 0) std::_Exit(0);
    }
  }
}

pid_t start_readers(int port, int count, const std::string& subscribe) {
  const pid_t child = ::fork();
  QYLON_CHECK(child >= 0);
  if (child == 0) run_readers(port, count, subscribe);
  return child;
}

void stop_readers(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// One write of a prepared frame to each of `count` sockets: the least that a server must do.
double raw_us_per_message(int count, int messages) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const socket_address = reinterpret_cast<sockaddr*>(&address);
  QYLON_CHECK(::bind(listener, socket_address, length) == 0 && ::listen(listener, 1024) == 0);
  QYLON_CHECK(::getsockname(listener, socket_address, &length) == 0);
  const pid_t readers = start_readers(ntohs(address.sin_port), count, "");
  std::vector<int> peers;
  while (peers.size() < static_cast<std::size_t>(count))
    peers.push_back(::accept(listener, nullptr, nullptr));
  const Frame frame = make_text_frame(std::string(kCaptionBytes, 'x'));
  const double start_us = process_cpu_us();
  for (int i = 0; i < messages; ++i) {
    for (const int peer : peers)
      QYLON_CHECK(::send(peer, frame->data(), frame->size(), MSG_NOSIGNAL) > 0);
    ::poll(nullptr, 0, kPaceUs / 1000);
  }
  const double spent_us = process_cpu_us() - start_us;
  stop_readers(readers);
  for (const int peer : peers)
    ::close(peer);
  ::close(listener);
  return spent_us / (static_cast<double>(count) * messages);
}

struct Edge {
  double us_per_message = 0.0;
  double bytes_per_session = 0.0;
  std::uint64_t sent = 0;
};

Edge edge_us_per_message(int count, int messages) {
  const MeetingId meeting = MeetingId::random();
  const Epoch epoch = Epoch::random();
  SystemClock clock;
  const Log log(clock, LogLevel::kError);
  Counters counters;
  NoHttp http;
  AllowAll access;
  NoIngress ingress;
  EmptyHistory history(epoch);
  EdgeServer::Options options;
  options.port = 0;
  auto edge = *EdgeServer::start(options, {http, access, ingress, history, log, counters, clock});
  const double bytes_before = resident_bytes();
  const std::string topic = "meeting/" + meeting.to_string() + "/captions";
  const std::string subscribe = R"({"type":"subscribe","topics":[")" + topic + "\"]," +
                                R"("padding":")" + std::string(60, ' ') + "\"}";
  const pid_t readers = start_readers(edge->port(), count, masked_text_frame(subscribe));
  while (history.reads < count)
    ::poll(nullptr, 0, 20);
  ::poll(nullptr, 0, 300);
  Edge result;
  result.bytes_per_session = (resident_bytes() - bytes_before) / count;
  const Counter& sent = counters.counter("qylon_edge_messages_sent_total", "");
  const auto json = std::make_shared<const std::string>(kCaptionBytes, 'x');
  const double start_us = process_cpu_us();
  for (int i = 1; i <= messages; ++i) {
    edge->hub().publish({meeting, epoch, Topic::kCaptions, json, i, 0});
    ::poll(nullptr, 0, kPaceUs / 1000);
  }
  result.us_per_message = (process_cpu_us() - start_us) / (static_cast<double>(count) * messages);
  result.sent = sent.value();
  stop_readers(readers);
  return result;
}

}  // namespace
}  // namespace qylon::realtime

int main(int argc, char** argv) {
  const int subscribers = argc > 1 ? std::atoi(argv[1]) : 1000;
  const int messages = argc > 2 ? std::atoi(argv[2]) : 50;
  std::signal(SIGPIPE, SIG_IGN);
  std::printf("%d subscribers, %d captions of 250 bytes, 10 a second\n", subscribers, messages);
  for (int round = 0; round < 3; ++round) {
    const double raw = qylon::realtime::raw_us_per_message(subscribers, messages);
    const auto edge = qylon::realtime::edge_us_per_message(subscribers, messages);
    std::printf(
        "raw %5.2f us   edge %5.2f us CPU per delivered message   x%.2f   "
        "%.1f KB a session   %llu sent\n",
        raw,
        edge.us_per_message,
        edge.us_per_message / raw,
        edge.bytes_per_session / 1024.0,
        static_cast<unsigned long long>(edge.sent));
  }
  return 0;
}

// What sessions cost while they do nothing, come, go, read nothing or attack.
//
//   realtime_sessions_bench [idle] [slow] [churn] [flood]   default all, a minute together;
//                                                           exit status 1 when a bound is broken
#include <cstring>

#include <fcntl.h>

#include "bench/edge_bench.hpp"

namespace qylon::bench {
namespace {

using realtime::Topic;

constexpr std::int64_t kMsUs = 1000;

// ---- 10,000 sessions that do nothing

constexpr int kIdle = 10'000;
constexpr int kBatch = 1000;
// 8 KB of libwebsockets and 4 KB of ours.
constexpr double kSessionBytesMax = 12.0 * 1024;

void hold_sessions(int port, const std::string& first, int count) {
  std::vector<int> fds;
  for (int i = 0; i < count; ++i)
    fds.push_back(open_websocket(port, "/v1/subscribe", first));
  ::raise(SIGSTOP);
}

bool idle() {
  Edge edge;
  const std::string first = subscribe_frame(edge.meeting);
  const double before = resident_bytes();
  std::vector<std::unique_ptr<Load>> loads;
  std::vector<double> accept_us;
  for (int held = 0; held < kIdle; held += kBatch) {
    const double start_us = process_cpu_us();
    loads.push_back(
        std::make_unique<Load>([&] { hold_sessions(edge.server->port(), first, kBatch); }));
    edge.wait_for_reads(held + kBatch);
    accept_us.push_back((process_cpu_us() - start_us) / kBatch);
  }
  const double each = (resident_bytes() - before) / kIdle;
  loads.clear();
  edge.wait_for_connections(0);
  wait_ms(300);
  const double after = resident_bytes();
  std::printf(
      "idle: %d sessions, %.1f KB each; accept, handshake and subscribe %.0f us CPU for the first "
      "thousand, %.0f us for the last; resident %.1f MB before, %.1f MB after\n",
      kIdle,
      each / 1024,
      accept_us.front(),
      accept_us.back(),
      before / 1e6,
      after / 1e6);
  bool all = verdict(each <= kSessionBytesMax, "an idle session takes at most 12 KB");
  all = verdict(accept_us.back() <= 1.5 * accept_us.front(), "accepting stays as cheap") && all;
  return verdict(after - before <= 0.05 * each * kIdle, "95 % of it comes back") && all;
}

// ---- Readers that read nothing beside readers that do

constexpr int kReaders = 100;
constexpr int kCaptions = 400;
constexpr int kFillCaptions = 150;  // Until the sockets of those who do not read are full.
constexpr int kCaptionEveryMs = 20;
constexpr std::size_t kCaptionBytes = 4096;

// A caption's text begins with its time of sending, in microseconds, 16 digits.
std::string timed_caption(std::int64_t now_us) {
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), "@%016lld", static_cast<long long>(now_us));
  return std::string(time.data()) + std::string(kCaptionBytes, 'x');
}

// Writes every caption's delay in microseconds to `out`, eight bytes each.
void measure_delays(int port, const std::string& first, int out) {
  std::vector<int> fds;
  for (int i = 0; i < kReaders; ++i)
    fds.push_back(open_websocket(port, "/v1/subscribe", first));
  SystemClock clock;
  read_for_ever(fds, [&](const char* bytes, std::size_t count) {
    const auto* const at = static_cast<const char*>(std::memchr(bytes, '@', count));
    if (at == nullptr || at + 17 > bytes + count) return;
    const std::int64_t delay_us =
        clock.monotonic_us() - std::strtoll(std::string(at + 1, 16).c_str(), nullptr, 10);
    QYLON_CHECK(::write(out, &delay_us, sizeof(delay_us)) == sizeof(delay_us));
  });
}

std::vector<double> read_delays(int in) {
  std::vector<double> delays_ms;
  std::int64_t delay_us = 0;
  while (::read(in, &delay_us, sizeof(delay_us)) == sizeof(delay_us))
    delays_ms.push_back(static_cast<double>(delay_us) / 1000.0);
  return delays_ms;
}

struct Delays {
  double p50_ms = 0.0;
  double p99_ms = 0.0;
};

Delays delays_beside(int non_readers) {
  Edge edge;
  const std::string first = subscribe_frame(edge.meeting);
  std::array<int, 2> pipe{};
  QYLON_CHECK(::pipe2(pipe.data(), O_NONBLOCK) == 0);
  ::fcntl(pipe[1], F_SETPIPE_SZ, 1 << 20);
  const Load silent([&] { hold_sessions(edge.server->port(), first, non_readers); });
  const Load readers([&] { measure_delays(edge.server->port(), first, pipe[1]); });
  edge.wait_for_reads(kReaders + non_readers);
  std::vector<double> delays_ms;
  for (std::uint64_t i = 1; i <= kCaptions; ++i) {
    edge.server->hub().publish(
        {edge.meeting,
         edge.epoch,
         Topic::kCaptions,
         std::make_shared<const std::string>(timed_caption(edge.clock.monotonic_us())),
         i,
         0});
    wait_ms(kCaptionEveryMs);
    const auto more = read_delays(pipe[0]);
    if (i <= kFillCaptions) continue;
    delays_ms.insert(delays_ms.end(), more.begin(), more.end());
  }
  close_all({pipe[0], pipe[1]});
  return {median(delays_ms), quantile(delays_ms, 0.99)};
}

bool slow() {
  std::vector<double> alone_ms;
  std::vector<double> beside_ms;
  for (int round = 0; round < 3; ++round) {
    const auto alone = delays_beside(0);
    const auto beside = delays_beside(kReaders);
    std::printf("slow: p50 %.2f ms and p99 %.2f ms alone, p50 %.2f ms and p99 %.2f ms beside\n",
                alone.p50_ms,
                alone.p99_ms,
                beside.p50_ms,
                beside.p99_ms);
    alone_ms.push_back(alone.p99_ms);
    beside_ms.push_back(beside.p99_ms);
  }
  // A tenth of a millisecond is less than this clock and scheduler can tell apart.
  return verdict(median(beside_ms) <= 1.1 * median(alone_ms) + 0.1,
                 "100 that never read leave the p99 of 100 others within 10 %");
}

// ---- Coming and going

constexpr int kCycles = 10;
constexpr int kSessionsACycle = 1500;
constexpr double kChurnBytesMax = 512 << 10;  // A twelfth of a cycle's sessions.

bool churn() {
  Edge edge;
  const std::string first = subscribe_frame(edge.meeting);
  std::vector<double> resident;
  for (int cycle = 1; cycle <= kCycles; ++cycle) {
    {
      const Load load([&] { hold_sessions(edge.server->port(), first, kSessionsACycle); });
      edge.wait_for_reads(cycle * kSessionsACycle);
    }
    edge.wait_for_connections(0);
    wait_ms(100);
    resident.push_back(resident_bytes());
  }
  const auto half = resident.begin() + kCycles / 2;
  const double early = median({resident.begin() + 1, half});
  const double late = median({half, resident.end()});
  std::printf(
      "churn: %d cycles of %d sessions, resident %.2f MB in the first half, %.2f MB in the "
      "second\n",
      kCycles,
      kSessionsACycle,
      early / 1e6,
      late / 1e6);
  return verdict(late <= early + kChurnBytesMax, "memory stays flat");
}

// ---- Requests that never end and connections without number

constexpr int kSlowConnections = 800;
constexpr int kRequests = 1000;
constexpr int kCutAfterMs = 13'000;  // libwebsockets gives a header 10 s.

void dribble(int port) {
  const std::string request =
      "GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: " + std::string(4000, 'a');
  std::vector<int> fds;
  for (int i = 0; i < kSlowConnections; ++i)
    fds.push_back(connect_to(port));
  for (std::size_t at = 0;; ++at) {
    for (const int fd : fds)
      ::send(fd, &request[at % request.size()], 1, MSG_NOSIGNAL);
    if (at == 0) ::raise(SIGSTOP);
    wait_ms(200);
  }
}

// Connects, hangs up, and begins again, about 2,000 times a second.
void flood(int port) {
  for (;;) {
    for (int i = 0; i < 20; ++i)
      ::close(connect_to(port));
    wait_ms(10);
  }
}

// Milliseconds from connect to answer, for requests on fresh connections.
std::vector<double> request_delays_ms(int port) {
  SystemClock clock;
  const std::string request =
      "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  std::vector<double> delays_ms;
  std::array<char, 1024> answer{};
  for (int i = 0; i < kRequests; ++i) {
    const std::int64_t start_us = clock.monotonic_us();
    const int fd = connect_to(port);
    QYLON_CHECK(::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0);
    QYLON_CHECK(::recv(fd, answer.data(), answer.size(), 0) > 0);
    delays_ms.push_back(static_cast<double>(clock.monotonic_us() - start_us) / kMsUs);
    ::close(fd);
    wait_ms(5);
  }
  return delays_ms;
}

bool attack() {
  Edge edge;
  const int port = edge.server->port();
  const auto alone_ms = request_delays_ms(port);
  const Load dribbler([&] { dribble(port); });
  edge.wait_for_connections(kSlowConnections);
  dribbler.resume();
  const std::int64_t began_us = edge.clock.monotonic_us();
  const auto slow_ms = request_delays_ms(port);
  while (edge.connections() > 0 && edge.clock.monotonic_us() - began_us < kCutAfterMs * kMsUs)
    wait_ms(50);
  const auto held = edge.connections();
  const Load flooder([&] { flood(port); });
  const auto flood_ms = request_delays_ms(port);
  std::printf(
      "flood: p99 of a request %.2f ms alone, %.2f ms beside %d requests that never end (%lld of "
      "them still open), %.2f ms with 2,000 new connections a second besides\n",
      quantile(alone_ms, 0.99),
      quantile(slow_ms, 0.99),
      kSlowConnections,
      static_cast<long long>(held),
      quantile(flood_ms, 0.99));
  const bool cut = verdict(held < kSlowConnections / 10, "endless requests are cut off");
  return verdict(quantile(slow_ms, 0.99) <= 50.0 && quantile(flood_ms, 0.99) <= 50.0,
                 "good clients' p99 is at most 50 ms") &&
         cut;
}

struct Part {
  const char* name;
  bool (*run)();
};
constexpr std::array<Part, 4> kParts{
    {{"idle", idle}, {"slow", slow}, {"churn", churn}, {"flood", attack}}};

}  // namespace
}  // namespace qylon::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  qylon::bench::raise_descriptor_limit();
  bool all = true;
  for (const auto& part : qylon::bench::kParts) {
    const bool wanted = argc == 1 || std::any_of(argv + 1, argv + argc, [&](const char* word) {
                          return std::strcmp(word, part.name) == 0;
                        });
    if (wanted) all = part.run() && all;
  }
  return all ? 0 : 1;
}

// What it costs the server to take one audio frame, with and without 5,000 idle viewers beside the
// publishers, against a raw epoll loop of recv(2) and against the npm package `ws`, in the same
// run. Frames of 80 bytes, 50 a second from each publisher; the edge acknowledges them besides.
//
//   realtime_ingest_bench        exit status 1 when too dear
//   realtime_ingest_bench edge   ours alone, once: for a profiler
#include "bench/edge_bench.hpp"
#include "media/uplink_frame.hpp"
#include "realtime/frame.hpp"

namespace qylon::bench {
namespace {

constexpr int kPublishers = 200;
constexpr int kIdle = 5000;
constexpr int kFrames = 150;  // Of each publisher.
constexpr int kFrameMs = 20;
constexpr std::size_t kFramesAnAck = 5;
constexpr int kTotal = kPublishers * kFrames;
constexpr int kRounds = 3;
constexpr double kIdleRatioMax = 1.3;
constexpr double kRawRatioMax = 1.6;

std::string audio_frame(int seq) {
  media::UplinkFrame frame;
  frame.seq = static_cast<std::uint64_t>(seq);
  frame.capture_us = frame.seq * kFrameMs * 1000;
  frame.payload.resize(60);
  const auto bytes = media::encode_uplink(frame);
  return client_frame(2, std::string(bytes.begin(), bytes.end()));
}

std::string hello_frame(MeetingId meeting) {
  return client_frame(1,
                      R"({"type":"hello","meeting":")" + meeting.to_string() +
                          R"(","clock":{"id":")" + ClockId::random().to_string() +
                          R"("},"tracks":[{"track":0,"codec":"opus","sample_rate_hz":48000,)"
                          R"("channels":1}]})");
}

void drain_answers(const std::vector<int>& fds) {
  std::array<char, 4096> buffer{};
  for (const int fd : fds) {
    while (::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
    }
  }
}

// Publishers send one after another within each 20 ms, as clocks of their own would make them.
void publish(const std::vector<int>& fds) {
  SystemClock clock;
  const std::int64_t start_us = clock.monotonic_us();
  for (int seq = 0; seq < kFrames; ++seq) {
    const std::string frame = audio_frame(seq);
    for (std::size_t i = 0; i < fds.size(); ++i) {
      const std::int64_t due_us = start_us + seq * kFrameMs * 1000 +
                                  static_cast<std::int64_t>(i) * kFrameMs * 1000 / kPublishers;
      const std::int64_t early_us = due_us - clock.monotonic_us();
      if (early_us > 1000) wait_ms(static_cast<int>(early_us / 1000));
      QYLON_CHECK(::send(fds[i], frame.data(), frame.size(), MSG_NOSIGNAL) > 0);
    }
    if (seq % 10 == 9) drain_answers(fds);
  }
}

// Idle viewers, then the publishers; these begin after SIGCONT.
struct Publishers {
  int port = 0;
  int idle = 0;
  std::string idle_path;  // Empty: no WebSocket at all.
  std::string idle_first;
  std::string path;
  std::string first;

  void run() const {
    for (int i = 0; i < idle; ++i)
      idle_path.empty() ? connect_to(port) : open_websocket(port, idle_path, idle_first);
    std::vector<int> fds;
    for (int i = 0; i < kPublishers; ++i)
      fds.push_back(path.empty() ? connect_to(port) : open_websocket(port, path, first));
    ::raise(SIGSTOP);
    publish(fds);
    for (;;)
      ::pause();
  }
};

// Receives, and with `acks` also answers every publisher ten times a second, as the protocol asks.
double raw_us_per_frame(int idle, bool acks) {
  const test::LoopbackListener listener(kRawBacklog);
  const Load load([&] { Publishers{listener.port(), idle, "", "", "", ""}.run(); });
  const std::vector<int> peers = accept_all(listener, static_cast<std::size_t>(idle + kPublishers));
  const int poller = ::epoll_create1(0);
  for (const int fd : peers) {
    epoll_event event{EPOLLIN, {}};
    event.data.fd = fd;
    ::epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
  wait_ms(300);
  const double start_us = process_cpu_us();
  load.resume();
  const std::size_t frame_bytes = audio_frame(0).size();
  const std::size_t expected = kTotal * frame_bytes;
  std::array<char, 2048> buffer{};
  std::array<epoll_event, 256> ready{};
  const std::string ack = *realtime::make_text_frame(std::string(48, 'x'));
  std::size_t acked = 0;
  for (std::size_t bytes = 0; bytes < expected;) {
    const int n = ::epoll_wait(poller, ready.data(), static_cast<int>(ready.size()), -1);
    for (; acks && acked < bytes / (frame_bytes * kFramesAnAck); ++acked) {
      const int publisher = peers[static_cast<std::size_t>(idle) + acked % kPublishers];
      QYLON_CHECK(::send(publisher, ack.data(), ack.size(), MSG_NOSIGNAL) > 0);
    }
    for (int i = 0; i < n; ++i) {
      const int fd = ready[static_cast<std::size_t>(i)].data.fd;
      const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
      QYLON_CHECK(got > 0);
      bytes += static_cast<std::size_t>(got);
    }
  }
  const double spent_us = process_cpu_us() - start_us;
  ::close(poller);
  close_all(peers);
  return spent_us / kTotal;
}

double edge_us_per_frame(int idle) {
  Edge edge;
  const Load load([&] {
    Publishers{edge.server->port(),
               idle,
               "/v1/subscribe",
               subscribe_frame(edge.meeting),
               "/v1/uplink",
               hello_frame(edge.meeting)}
        .run();
  });
  edge.wait_for_reads(idle);
  while (edge.ingress.opens < kPublishers)
    wait_ms(5);
  wait_ms(300);
  const double start_us = process_cpu_us();
  load.resume();
  while (edge.ingress.frames < kTotal)
    wait_ms(20);
  return (process_cpu_us() - start_us) / kTotal;
}

// 0 when Node.js or the package is not there.
double ws_us_per_frame(int idle) {
  const std::string command = "node bench/realtime_peer.mjs ingest " +
                              std::to_string(idle + kPublishers) + " " + std::to_string(kTotal);
  std::FILE* const peer = ::popen(command.c_str(), "r");
  int port = 0;
  double cpu_us = 0.0;
  std::array<char, 16> ready{};
  if (std::fscanf(peer, "%d", &port) == 1) {
    const Load load([&] { Publishers{port, idle, "/", "", "/", ""}.run(); });
    if (std::fscanf(peer, "%15s", ready.data()) == 1) load.resume();
    if (std::fscanf(peer, "%lf", &cpu_us) != 1) cpu_us = 0.0;
  }
  ::pclose(peer);
  return cpu_us / kTotal;
}

bool compare() {
  std::vector<double> bare;
  std::vector<double> raws;
  std::vector<double> alone;
  std::vector<double> beside;
  for (int round = 0; round < kRounds; ++round) {
    bare.push_back(raw_us_per_frame(kIdle, false));
    raws.push_back(raw_us_per_frame(kIdle, true));
    alone.push_back(edge_us_per_frame(0));
    beside.push_back(edge_us_per_frame(kIdle));
  }
  const double ws = ws_us_per_frame(kIdle);
  const double idle_ratio = median(beside) / median(alone);
  const double raw_ratio = median(beside) / median(raws);
  std::printf(
      "%d publishers, CPU per frame: raw with %d idle %.2f us, with acknowledgements %.2f us; edge "
      "alone %.2f us, with %d idle "
      "%.2f us; npm ws with them %.2f us\nwith/without idle %.2f, edge/raw that acknowledges %.2f, "
      "edge/bare raw %.2f\n",
      kPublishers,
      kIdle,
      median(bare),
      median(raws),
      median(alone),
      kIdle,
      median(beside),
      ws,
      idle_ratio,
      raw_ratio,
      median(beside) / median(bare));
  const bool flat = verdict(idle_ratio <= kIdleRatioMax, "idle viewers cost ingest at most 1.3");
  return verdict(raw_ratio <= kRawRatioMax,
                 "ingest costs at most 1.6 times the raw loop that acknowledges") &&
         flat;
}

}  // namespace
}  // namespace qylon::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  qylon::bench::raise_descriptor_limit();
  if (argc == 2 && std::string(argv[1]) == "edge") {
    std::printf("%.2f us CPU per frame\n", qylon::bench::edge_us_per_frame(qylon::bench::kIdle));
    return 0;
  }
  return qylon::bench::compare() ? 0 : 1;
}

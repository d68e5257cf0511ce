// What it costs the server to deliver one caption to one subscriber, against a raw loop of send(2)
// and against the npm package `ws`, in the same run. Captions of 250 bytes, ten a second.
//
//   realtime_fanout_bench [subscribers...]   default 1000 and 5000; exit status 1 when too dear
//   realtime_fanout_bench edge SUBSCRIBERS MESSAGES   ours alone, once: for callgrind, see
//                                                     bench/fanout_instructions.sh
#include <cstring>

#include "bench/edge_bench.hpp"
#include "realtime/frame.hpp"

namespace qylon::bench {
namespace {

constexpr std::size_t kCaptionBytes = 250;
constexpr int kPaceMs = 100;
constexpr int kMessages = 30;
constexpr int kRounds = 5;
constexpr double kRatioMax = 1.18;

void subscribe_and_read(int port, int count, const std::string& path, const std::string& first) {
  std::vector<int> fds;
  for (int i = 0; i < count; ++i)
    fds.push_back(path.empty() ? connect_to(port) : open_websocket(port, path, first));
  read_for_ever(fds);
}

// One write of a prepared frame to each of `count` sockets: the least that a server must do.
double raw_us_per_message(int count, int messages) {
  const test::LoopbackListener listener(kRawBacklog);
  const Load readers([&] { subscribe_and_read(listener.port(), count, "", ""); });
  const std::vector<int> peers = accept_all(listener, static_cast<std::size_t>(count));
  const realtime::Frame frame = realtime::make_text_frame(std::string(kCaptionBytes, 'x'));
  wait_ms(300);
  const double start_us = process_cpu_us();
  for (int i = 0; i < messages; ++i) {
    for (const int peer : peers)
      QYLON_CHECK(::send(peer, frame->data(), frame->size(), MSG_NOSIGNAL) > 0);
    wait_ms(kPaceMs);
  }
  const double spent_us = process_cpu_us() - start_us;
  close_all(peers);
  return spent_us / (static_cast<double>(count) * messages);
}

double edge_us_per_message(int count, int messages) {
  Edge edge;
  const Load readers([&] {
    subscribe_and_read(edge.server->port(), count, "/v1/subscribe", subscribe_frame(edge.meeting));
  });
  edge.wait_for_reads(count);
  wait_ms(300);
  const auto json = std::make_shared<const std::string>(kCaptionBytes, 'x');
  const double start_us = process_cpu_us();
  for (int i = 1; i <= messages; ++i) {
    edge.server->hub().publish({edge.meeting,
                                edge.epoch,
                                realtime::Topic::kCaptions,
                                json,
                                static_cast<std::uint64_t>(i),
                                0});
    wait_ms(kPaceMs);
  }
  const double spent_us = process_cpu_us() - start_us;
  const auto sent = edge.counters.counter("qylon_edge_messages_sent_total", "").value();
  QYLON_CHECK(sent == static_cast<std::uint64_t>(count) * static_cast<std::uint64_t>(messages));
  return spent_us / (static_cast<double>(count) * messages);
}

// 0 when Node.js or the package is not there.
double ws_us_per_message(int count, int messages) {
  const std::string command = "node bench/realtime_peer.mjs fanout " + std::to_string(count) + " " +
                              std::to_string(messages);
  std::FILE* const peer = ::popen(command.c_str(), "r");
  int port = 0;
  double cpu_us = 0.0;
  if (std::fscanf(peer, "%d", &port) == 1) {
    const Load readers([&] { subscribe_and_read(port, count, "/", ""); });
    if (std::fscanf(peer, " ready %lf", &cpu_us) != 1) cpu_us = 0.0;
  }
  ::pclose(peer);
  return cpu_us / (static_cast<double>(count) * messages);
}

bool compare(int subscribers) {
  std::printf("%d subscribers, %d rounds of %d captions\n", subscribers, kRounds, kMessages);
  std::vector<double> raws;
  std::vector<double> edges;
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    raws.push_back(raw_us_per_message(subscribers, kMessages));
    edges.push_back(edge_us_per_message(subscribers, kMessages));
    ratios.push_back(edges.back() / raws.back());
  }
  const double ws = ws_us_per_message(subscribers, kMessages);
  std::printf(
      "CPU per delivered message: raw %.2f us, edge %.2f us, npm ws %.2f us; edge/raw median %.2f "
      "(%.2f to %.2f)\n",
      median(raws),
      median(edges),
      ws,
      median(ratios),
      quantile(ratios, 0.0),
      quantile(ratios, 1.0));
  return verdict(median(ratios) <= kRatioMax, "edge costs at most 1.18 times the raw loop");
}

}  // namespace
}  // namespace qylon::bench

int main(int argc, char** argv) {
  namespace bench = qylon::bench;
  std::signal(SIGPIPE, SIG_IGN);
  bench::raise_descriptor_limit();
  if (argc == 4 && std::strcmp(argv[1], "edge") == 0) {
    bench::edge_us_per_message(std::atoi(argv[2]), std::atoi(argv[3]));
    return 0;
  }
  std::vector<int> sizes;
  for (int i = 1; i < argc; ++i)
    sizes.push_back(std::atoi(argv[i]));
  if (sizes.empty()) sizes = {1000, 5000};
  bool all = true;
  for (const int size : sizes)
    all = bench::compare(size) && all;
  return all ? 0 : 1;
}

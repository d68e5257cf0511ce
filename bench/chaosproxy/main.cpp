#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <poll.h>
#include <unistd.h>

#include "bench/chaosproxy/proxy.hpp"
#include "core/config.hpp"

namespace qylon::chaosproxy {
namespace {

constexpr std::size_t kOrderBytesMax = 1'000;

constexpr const char* kHelp =
    R"(chaosproxy - a TCP proxy whose network misbehaves

  chaosproxy --server-port PORT [--listen-port PORT] [--up WEATHER] [--down WEATHER] [--seed N]

Prints `listening on HOST:PORT`, then reads orders from standard input, one a line, and answers each
with a line. It ends with its standard input.

  up WEATHER, down WEATHER   client to server, server to client; WEATHER is any of latency=MS
                             jitter=MS rate=BITS cut=BYTES; what is left out is fair
  stall MS                   nothing passes, either way
  rst [PERCENT]              resets that share of the connections
  halfclose                  clients are told that the server has finished
  forget                     the connections stay open, but nothing passes on them any more
  stats                      connections and bytes so far

Settings:
)";

struct ProxySettings {
  std::string host = "127.0.0.1";
  std::int64_t listen_port = 0;
  std::int64_t server_port = 0;
  std::string up;
  std::string down;
  std::int64_t seed = 1;
};

void declare(SettingList& list, ProxySettings& settings) {
  list.add({"host", "", "IPv4 address of the server, and to listen on."}, settings.host);
  list.add({"listen-port", "", "Port to listen on; 0 picks a free one."},
           settings.listen_port,
           {0, 65'535});
  list.add({"server-port", "", "Port of the server."}, settings.server_port, {0, 65'535});
  list.add({"up", "", "Weather from clients to the server."}, settings.up);
  list.add({"down", "", "Weather from the server to clients."}, settings.down);
  list.add({"seed", "", "Of jitter and of who is reset."}, settings.seed, {0, INT64_MAX});
}

int fail(const std::string& message) {
  std::fprintf(stderr, "chaosproxy: %s\n", message.c_str());
  return 2;
}

/// Whole lines of standard input, as they come.
class Orders {
 public:
  /// False at the end of the input.
  bool read(Proxy& proxy) {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got <= 0) return false;
    text_.append(buffer.data(), static_cast<std::size_t>(got));
    for (std::size_t end = 0; (end = text_.find('\n')) != std::string::npos;
         text_.erase(0, end + 1)) {
      std::printf("%s\n", proxy.obey(std::string_view(text_).substr(0, end)).c_str());
    }
    std::fflush(stdout);
    return text_.size() <= kOrderBytesMax;
  }

 private:
  std::string text_;
};

void serve(Proxy& proxy) {
  Orders orders;
  for (;;) {
    std::array<pollfd, 2> waiting{{{proxy.descriptor(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), proxy.patience_ms());
    if (waiting[1].revents != 0 && !orders.read(proxy)) return;
    proxy.step();
  }
}

int run(const ProxySettings& settings) {
  const auto up = parse_weather(settings.up, {});
  if (!up) return fail(up.error().message);
  const auto down = parse_weather(settings.down, {});
  if (!down) return fail(down.error().message);
  const SystemClock clock;
  auto proxy = Proxy::listen({.host = settings.host,
                              .port = static_cast<int>(settings.listen_port),
                              .server_port = static_cast<int>(settings.server_port),
                              .up = *up,
                              .down = *down,
                              .seed = static_cast<std::uint64_t>(settings.seed)},
                             clock);
  if (!proxy) return fail(proxy.error().message);
  std::printf("listening on %s:%d\n", settings.host.c_str(), (*proxy)->port());
  std::fflush(stdout);
  serve(**proxy);
  return 0;
}

}  // namespace
}  // namespace qylon::chaosproxy

int main(int count, char** words) {
  namespace chaosproxy = qylon::chaosproxy;
  chaosproxy::ProxySettings settings;
  qylon::SettingList list;
  chaosproxy::declare(list, settings);
  const std::vector<std::string> arguments(words + 1, words + count);
  if (std::ranges::find(arguments, "--help") != arguments.end()) {
    std::printf("%s%s", chaosproxy::kHelp, list.help().c_str());
    return 0;
  }
  const auto others = list.read_flags(arguments);
  if (!others) return chaosproxy::fail(others.error().message);
  if (!others->empty()) return chaosproxy::fail("unexpected word \"" + others->front() + "\"");
  std::signal(SIGPIPE, SIG_IGN);
  return chaosproxy::run(settings);
}

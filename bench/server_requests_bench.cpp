// What an authenticated read that needs no PostgreSQL costs the server: 10,000 requests a second
// over 50 connections that stay, each with a user's ES256 token and through everything that a
// request passes (token, session, permission, limits of user and organisation, log line to a file,
// metrics, security headers). The answer has 84 bytes. In the same run nginx, which compares the
// header with one string and writes a log too, and a Node.js server, which looks the token's digest
// up and writes none.
//
//   server_requests_bench        exit status 1 above 0.25 core
//   server_requests_bench ours   ours alone: for a profiler

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string_view>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <spawn.h>
#include <sys/mman.h>

#include "api/core/router.hpp"
#include "api/http_answers.hpp"
#include "api/identity/identity_access.hpp"
#include "bench/edge_bench.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/private_database.hpp"

namespace qylon::bench {
namespace {

constexpr int kConnections = 50;
constexpr int kRate = 10'000;  // A second.
constexpr int kWarmUp = kRate;
constexpr int kRequests = 3 * kRate;
constexpr int kRounds = 3;
constexpr double kCoresMax = 0.25;
constexpr const char* kUser = "aaaaaaaa-0000-4000-8000-000000000002";
constexpr const char* kOrg = "aaaaaaaa-0000-4000-8000-000000000001";

/// Microseconds from when each request was due to the end of its answer; shared with the load.
struct Latencies {
  std::array<float, kRequests> us{};
  std::atomic<bool> warm{false};
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
};

std::int64_t now_us() {
  return SystemClock().monotonic_us();
}

/// One keep-alive connection with at most one request under way.
struct Caller {
  int fd = -1;
  std::int64_t due_us = 0;  // 0: idle.
  std::string bytes;

  /// A whole answer has come.
  bool receive() {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    QYLON_CHECK(got > 0);
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
    const std::size_t head = bytes.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const std::size_t length = bytes.find("ontent-Length: ");
    QYLON_CHECK(length < head);
    return bytes.size() >= head + 4 + std::strtoul(bytes.c_str() + length + 15, nullptr, 10);
  }
};

/// Sends `kWarmUp` and, after SIGCONT, `kRequests` requests, each when it is due.
class Requests {
 public:
  Requests(int port, std::string request, Latencies& latencies)
      : request_(std::move(request)), latencies_(latencies), poller_(::epoll_create1(0)) {
    for (std::size_t i = 0; i < callers_.size(); ++i) {
      callers_[i].fd = connect_to(port);
      const int on = 1;
      ::setsockopt(callers_[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      epoll_event event{EPOLLIN, {}};
      event.data.u64 = i;
      ::epoll_ctl(poller_, EPOLL_CTL_ADD, callers_[i].fd, &event);
      idle_.push_back(i);
    }
  }

  void send(int count, bool keep) {
    const std::int64_t start_us = now_us();
    int sent = 0;
    for (int answered = 0; answered < count;) {
      for (; sent < count && !idle_.empty(); ++sent) {
        const std::int64_t due_us = start_us + std::int64_t{sent} * 1'000'000 / kRate;
        if (due_us > now_us()) break;
        ask(due_us);
      }
      const std::int64_t next_us = start_us + std::int64_t{sent} * 1'000'000 / kRate;
      answered += answers(idle_.empty() || sent == count ? 100'000 : next_us - now_us(), keep);
    }
  }

 private:
  void ask(std::int64_t due_us) {
    Caller& caller = callers_[idle_.back()];
    idle_.pop_back();
    caller.due_us = due_us;
    caller.bytes.clear();
    QYLON_CHECK(::send(caller.fd, request_.data(), request_.size(), MSG_NOSIGNAL) > 0);
  }
  int answers(std::int64_t wait_us, bool keep) {
    const timespec wait{0, std::max<std::int64_t>(wait_us, 0) * 1000};
    std::array<epoll_event, kConnections> ready{};
    const int n = ::epoll_pwait2(poller_, ready.data(), kConnections, &wait, nullptr);
    int whole = 0;
    for (int i = 0; i < n; ++i) {
      const std::size_t at = ready[static_cast<std::size_t>(i)].data.u64;
      Caller& caller = callers_[at];
      if (!caller.receive()) continue;
      ++whole;
      idle_.insert(idle_.begin(), at);
      if (caller.bytes.compare(9, 3, "200") != 0) ++latencies_.refused;
      if (keep) {
        latencies_.us[static_cast<std::size_t>(latencies_.answered++)] =
            static_cast<float>(now_us() - caller.due_us);
      }
    }
    return whole;
  }

  const std::string request_;
  Latencies& latencies_;
  const int poller_;
  std::array<Caller, kConnections> callers_;
  std::vector<std::size_t> idle_;
};

struct Figures {
  double cores = 0;
  double p50_ms = 0;
  double p95_ms = 0;
};

/// Loads the server at `port`, whose CPU time `cpu_us` tells.
Figures load(int port, const std::string& request, const std::function<double()>& cpu_us) {
  void* const memory =
      ::mmap(nullptr, sizeof(Latencies), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  QYLON_CHECK(memory != MAP_FAILED);
  auto* const latencies = new (memory) Latencies;
  Figures figures;
  {
    const Load child([&] {
      Requests requests(port, request, *latencies);
      requests.send(kWarmUp, false);
      latencies->warm = true;
      ::raise(SIGSTOP);
      requests.send(kRequests, true);
    });
    while (!latencies->warm)
      wait_ms(10);
    wait_ms(100);
    const double before_us = cpu_us();
    child.resume();
    while (latencies->answered != kRequests)
      wait_ms(10);
    // Of a second that keeps the rate, however long a loaded machine took.
    figures.cores = (cpu_us() - before_us) / kRequests * kRate * 1e-6;
  }
  QYLON_CHECK(latencies->refused == 0);
  const std::vector<double> us(latencies->us.begin(), latencies->us.end());
  figures.p50_ms = quantile(us, 0.5) * 1e-3;
  figures.p95_ms = quantile(us, 0.95) * 1e-3;
  ::munmap(memory, sizeof(Latencies));
  return figures;
}

std::string request_to(const std::string& path, const std::string& token) {
  return "GET " + path +
         " HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
         "Authorization: Bearer " +
         token + "\r\n\r\n";
}

std::string cached_body() {
  return R"({"status":"ok","text":")" + std::string(60, 'x') + "\"}";
}

/// The edge, the router and a real identity over a PostgreSQL of their own.
class Ours {
 public:
  Ours() {
    QYLON_CHECK(database_.start());
    api::Identity::Options identity;
    identity.keys.issuer = "http://localhost/auth/v1";
    identity_ = api::Identity::create(
                    identity, SealKey::random(), {database_.pool(), log_, database_.clock()})
                    .value();
    access_ = std::make_unique<api::IdentityAccess>(
        api::IdentityAccess::Parts{token_access_, *identity_, database_.clock()});
    router_ = std::make_unique<api::Router>(
        api::Router::Limits{.per_address = 1e6, .per_user = 1e6, .per_org = 1e6},
        api::Router::Parts{.access = *access_,
                           .clock = database_.clock(),
                           .log = log_,
                           .counters = database_.counters()});
    router_->add({{"GET",
                   "/api/bench",
                   api::Permission::kRead,
                   [body = cached_body()](const api::CallPtr&, const HttpReply& reply) {
                     reply(api::json_answer(200, body));
                   }}});
    realtime::EdgeServer::Options options;
    options.port = 0;
    options.net_threads = 1;
    edge_ = realtime::EdgeServer::start(options,
                                        {*router_,
                                         *access_,
                                         ingress_,
                                         history_,
                                         log_,
                                         database_.counters(),
                                         database_.clock(),
                                         gate_})
                .value();
  }

  int port() const { return edge_->port(); }
  std::string user_token() const {
    const std::int64_t now_s = api::Moment::now(database_.clock()).seconds();
    return identity_->keys().sign(
        R"({"iss":"http://localhost/auth/v1","aud":"authenticated","role":"authenticated",)"
        R"("sub":")" +
        std::string(kUser) + R"(","email":"somebody@example.org","session_id":")" + kOrg +
        R"(","aal":"aal1","app_metadata":{"provider":"email","org_id":")" + kOrg +
        R"("},"user_metadata":{},"iat":)" + std::to_string(now_s) + R"(,"exp":)" +
        std::to_string(now_s + 3600) + "}");
  }

 private:
  test::PrivateDatabase database_{test::memory_directory()};
  test::TemporaryDirectory directory_;
  const int log_file_ = ::open((directory_.path() + "/log").c_str(), O_CREAT | O_WRONLY, 0600);
  const Log log_{database_.clock(), LogLevel::kInfo, log_file_};
  const api::TokenAccess token_access_{"qyl_bench"};
  std::unique_ptr<api::Identity> identity_;
  std::unique_ptr<api::IdentityAccess> access_;
  std::unique_ptr<api::Router> router_;
  NoGate gate_;
  CountingIngress ingress_;
  EmptyHistory history_{Epoch::random()};
  std::unique_ptr<realtime::EdgeServer> edge_;
};

/// A server that is another program.
class Peer {
 public:
  explicit Peer(std::vector<std::string> words, int output = -1) {
    std::vector<char*> arguments;
    for (std::string& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    if (output >= 0) ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0)
      pid_ = -1;
    ::posix_spawn_file_actions_destroy(&actions);
  }
  ~Peer() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  Peer(Peer&&) = delete;
  Peer& operator=(Peer&&) = delete;
  bool runs() const { return pid_ > 0; }
  double cpu_us() const { return cpu_us_of(pid_); }

 private:
  pid_t pid_ = -1;
};

bool answers_at(int port) {
  for (int i = 0; i < 100; ++i, wait_ms(50)) {
    if (test::connect_to_loopback(port)) return true;
  }
  return false;
}

Figures nginx(const std::string& token) {
  const test::TemporaryDirectory directory;
  const int port = test::LoopbackListener().port();  // Free again at once.
  const std::string where = directory.path();
  std::ofstream(where + "/nginx.conf")
      << "daemon off; master_process off; worker_processes 1; error_log " << where
      << "/error.log; pid " << where << "/pid;\nevents { worker_connections 1024; }\n"
      << "http { access_log " << where << "/access.log; keepalive_requests 100000000;\n"
      << "client_body_temp_path " << where << "/b; proxy_temp_path " << where
      << "/p; fastcgi_temp_path " << where << "/f; uwsgi_temp_path " << where
      << "/u; scgi_temp_path " << where << "/s;\nserver { listen 127.0.0.1:" << port
      << ";\nlocation = /api/bench { default_type application/json;\n"
      << "if ($http_authorization != \"Bearer " << token << "\") { return 401; }\n"
      << "return 200 '" << cached_body() << "'; } } }\n";
  const Peer peer({"/usr/sbin/nginx", "-c", where + "/nginx.conf", "-p", where});
  if (!peer.runs() || !answers_at(port)) return {};
  return load(port, request_to("/api/bench", token), [&peer] { return peer.cpu_us(); });
}

Figures node(const std::string& token) {
  std::array<int, 2> pipe{};
  QYLON_CHECK(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const Peer peer({"node", "bench/requests_peer.mjs", token}, pipe[1]);
  ::close(pipe[1]);
  std::array<char, 16> text{};
  const ssize_t got = ::read(pipe[0], text.data(), text.size() - 1);
  ::close(pipe[0]);
  if (got <= 0) return {};
  return load(
      std::atoi(text.data()), request_to("/api/bench", token), [&peer] { return peer.cpu_us(); });
}

void print(const char* name, const std::vector<Figures>& rounds) {
  std::vector<double> cores;
  std::vector<double> p50;
  std::vector<double> p95;
  for (const Figures& round : rounds) {
    cores.push_back(round.cores);
    p50.push_back(round.p50_ms);
    p95.push_back(round.p95_ms);
  }
  std::printf(
      "%-6s %.3f core, p50 %.2f ms, p95 %.2f ms\n", name, median(cores), median(p50), median(p95));
}

double median_cores(const std::vector<Figures>& rounds) {
  std::vector<double> cores;
  for (const Figures& round : rounds)
    cores.push_back(round.cores);
  return median(cores);
}

bool compare() {
  const Ours ours;
  const std::string token = ours.user_token();
  const auto measure = [&] {
    return load(ours.port(), request_to("/api/bench", token), process_cpu_us);
  };
  std::vector<Figures> our_rounds;
  std::vector<Figures> nginx_rounds;
  std::vector<Figures> node_rounds;
  for (int round = 0; round < kRounds; ++round) {
    our_rounds.push_back(measure());
    nginx_rounds.push_back(nginx(token));
    node_rounds.push_back(node(token));
  }
  print("ours", our_rounds);
  print("nginx", nginx_rounds);
  print("node", node_rounds);
  std::printf("ours / nginx %.2f, ours / node %.2f\n",
              median_cores(our_rounds) / median_cores(nginx_rounds),
              median_cores(our_rounds) / median_cores(node_rounds));
  return verdict(median_cores(our_rounds) <= kCoresMax, "10,000 a second in a quarter of a core");
}

int run(std::string_view part) {
  if (part != "ours") return compare() ? 0 : 1;
  const Ours ours;
  const std::string request = request_to("/api/bench", ours.user_token());
  for (int round = 0; round < kRounds; ++round)
    print("ours", {load(ours.port(), request, process_cpu_us)});
  return 0;
}

}  // namespace
}  // namespace qylon::bench

int main(int argc, char** argv) {
  return qylon::bench::run(argc > 1 ? argv[1] : "");
}

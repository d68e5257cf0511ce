#include "bench/chaosproxy/proxy.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace qylon::chaosproxy {
namespace {

constexpr int kEventsAtOnce = 64;
constexpr std::size_t kReadBytes = 64 << 10;

Error failed(const char* verb) {
  return {ErrorCode::kUnavailable,
          std::string("cannot ") + verb + ": " +
              std::error_code(errno, std::generic_category()).message()};
}

UniqueFd make_socket() {
  return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

sockaddr_in address_of(const std::string& host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // NOLINT: how the socket API has it.
}

std::int64_t number_of(std::string_view text, std::int64_t otherwise) {
  std::int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

Result<std::unique_ptr<Proxy>> Proxy::listen(const Options& options, const Clock& clock) {
  in_addr parsed{};
  if (::inet_pton(AF_INET, options.host.c_str(), &parsed) != 1) {
    return Error{ErrorCode::kInvalidArgument,
                 "\"" + options.host + "\" is no IPv4 address, e.g. 127.0.0.1"};
  }
  std::unique_ptr<Proxy> proxy(new Proxy(options, clock));
  const int yes = 1;
  sockaddr_in address = address_of(options.host, options.port);
  const int listener = proxy->listener_.get();
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(listener, generic(address), sizeof address) != 0) return failed("bind");
  if (::listen(listener, SOMAXCONN) != 0) return failed("listen");
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);  // NOLINT: as above.
  proxy->port_ = ntohs(address.sin_port);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  ::epoll_ctl(proxy->epoll_.get(), EPOLL_CTL_ADD, listener, &event);
  return proxy;
}

Proxy::Proxy(const Options& options, const Clock& clock)
    : options_(options),
      clock_(clock),
      random_(options.seed),
      up_(options.up),
      down_(options.down),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      listener_(make_socket()) {}

Proxy::~Proxy() = default;

int Proxy::patience_ms() const {
  const std::int64_t now_us = clock_.monotonic_us();
  std::int64_t due_us = stalled() ? stalled_until_us_ : DelayLine::kNever;
  for (const Pair& pair : pairs_) {
    if (pair.forgotten || pair.connecting || stalled()) continue;
    for (const Side from : {kClient, kServer}) {
      const Side to = from == kClient ? kServer : kClient;
      if (!pair.blocked[to]) due_us = std::min(due_us, pair.lines[from].due_us());
    }
  }
  if (due_us == DelayLine::kNever) return -1;
  return static_cast<int>(std::clamp<std::int64_t>((due_us - now_us + 999) / 1000, 0, 1'000));
}

void Proxy::step() {
  std::array<epoll_event, kEventsAtOnce> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), kEventsAtOnce, 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events.at(static_cast<std::size_t>(i));
    if (event.data.ptr == nullptr) {
      accept_all();
    } else {
      on_event(*static_cast<const End*>(event.data.ptr), event.events);
    }
  }
  for (Pair& pair : pairs_) {
    for (const Side from : {kClient, kServer})
      write(pair, from);
    ask(pair);
  }
  for (const Pair& pair : pairs_) {
    if (pair.dead) passed_ += pair.lines[kClient].passed() + pair.lines[kServer].passed();
  }
  pairs_.remove_if([](const Pair& pair) { return pair.dead; });
}

void Proxy::accept_all() {
  const sockaddr_in address = address_of(options_.host, options_.server_port);
  for (;;) {
    UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!client) return;
    UniqueFd server = make_socket();
    // A refused connection shows as an event on the socket, like every other end.
    if (server) ::connect(server.get(), generic(address), sizeof address);
    if (!server) return;
    ++accepted_;
    Pair& pair = pairs_.emplace_back(options_.seed * 1'000'003 + accepted_ * 2);
    pair.sockets = {std::move(client), std::move(server)};
    const int yes = 1;
    for (const Side side : {kClient, kServer}) {
      pair.ends[side] = {&pair, side};
      ::setsockopt(pair.sockets[side].get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      epoll_event event{.events = 0, .data = {.ptr = &pair.ends[side]}};
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pair.sockets[side].get(), &event);
    }
    ask(pair);
  }
}

void Proxy::on_event(const End& end, std::uint32_t events) {
  Pair& pair = *end.pair;
  if (pair.dead) return;
  // A hang-up that nobody may read now would be told again and again.
  const bool deaf = pair.finished[end.side] || pair.forgotten || stalled();
  if ((events & EPOLLERR) != 0 || ((events & EPOLLHUP) != 0 && deaf)) return reset(pair);
  if ((events & EPOLLOUT) != 0) {
    pair.blocked[end.side] = false;
    if (end.side == kServer) pair.connecting = false;
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) read(pair, end.side);
}

void Proxy::read(Pair& pair, Side from) {
  if (pair.finished[from] || stalled() || pair.forgotten) return;
  std::array<char, kReadBytes> buffer{};
  DelayLine& line = pair.lines[from];
  const std::size_t wanted = std::min(buffer.size(), line.room());
  if (wanted == 0) return;
  const ssize_t got = ::recv(pair.sockets[from].get(), buffer.data(), wanted, 0);
  if (got > 0) {
    line.push({buffer.data(), static_cast<std::size_t>(got)}, weather(from), clock_.monotonic_us());
  } else if (got == 0) {
    pair.finished[from] = true;
  } else if (errno != EAGAIN && errno != EINTR) {
    reset(pair);
  }
}

/// Passes on what came from `from` and is due.
void Proxy::write(Pair& pair, Side from) {
  const Side to = from == kClient ? kServer : kClient;
  if (pair.dead || pair.connecting || pair.forgotten || stalled()) return;
  DelayLine& line = pair.lines[from];
  while (!pair.blocked[to]) {
    const std::int64_t now_us = clock_.monotonic_us();
    auto bytes = line.ready(weather(from), now_us);
    if (bytes.empty()) break;
    const std::int64_t cut = weather(from).cut_after;
    if (cut > 0) {
      const auto left = static_cast<std::size_t>(cut) -
                        std::min<std::uint64_t>(line.passed(), static_cast<std::uint64_t>(cut));
      if (left == 0) return reset(pair);
      bytes = bytes.first(std::min(bytes.size(), left));
    }
    const ssize_t sent = ::send(pair.sockets[to].get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return reset(pair);
    if (sent < 0) {
      pair.blocked[to] = errno == EAGAIN;
    } else {
      line.pop(static_cast<std::size_t>(sent), weather(from), now_us);
    }
  }
  pass_end(pair, from);
}

void Proxy::pass_end(Pair& pair, Side from) {
  const Side to = from == kClient ? kServer : kClient;
  if (pair.finished[from] && pair.lines[from].empty() && !pair.end_passed[from]) {
    ::shutdown(pair.sockets[to].get(), SHUT_WR);
    pair.end_passed[from] = true;
  }
  pair.dead = pair.end_passed[kClient] && pair.end_passed[kServer];
}

/// Tells epoll what each socket is waited for.
void Proxy::ask(Pair& pair) {
  if (pair.dead) return;
  for (const Side side : {kClient, kServer}) {
    const bool reads =
        !pair.finished[side] && pair.lines[side].room() > 0 && !stalled() && !pair.forgotten;
    const bool writes = pair.blocked[side] || (side == kServer && pair.connecting);
    const std::uint32_t events = (reads ? EPOLLIN | EPOLLRDHUP : 0U) | (writes ? EPOLLOUT : 0U);
    if (events == pair.events[side]) continue;
    pair.events[side] = events;
    epoll_event event{.events = events, .data = {.ptr = &pair.ends[side]}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, pair.sockets[side].get(), &event);
  }
}

/// RST on both sides: what is under way is lost, as when a router forgets the connection.
void Proxy::reset(Pair& pair) {
  const linger none{.l_onoff = 1, .l_linger = 0};
  for (UniqueFd& socket : pair.sockets) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
    socket.reset();
  }
  pair.dead = true;
  ++resets_;
}

// --- Orders ---

std::string Proxy::obey(std::string_view order) {
  const std::size_t space = std::min(order.find(' '), order.size());
  const std::string_view verb = order.substr(0, space);
  const std::string_view rest = order.substr(std::min(space + 1, order.size()));
  if (verb == "up") return set_weather(up_, rest);
  if (verb == "down") return set_weather(down_, rest);
  if (verb == "rst") return reset_some(rest);
  if (verb == "stall") {
    stalled_until_us_ = clock_.monotonic_us() + number_of(rest, 0) * 1000;
  } else if (verb == "halfclose") {
    for (Pair& pair : pairs_)
      ::shutdown(pair.sockets[kClient].get(), SHUT_WR);
  } else if (verb == "forget") {
    for (Pair& pair : pairs_)
      pair.forgotten = true;
  } else if (verb != "stats") {
    return "error \"" + std::string(verb) +
           "\" is no order; there are up, down, stall, rst, halfclose, forget and stats";
  }
  for (Pair& pair : pairs_)
    ask(pair);
  std::uint64_t passed = passed_;
  for (const Pair& pair : pairs_)
    passed += pair.lines[kClient].passed() + pair.lines[kServer].passed();
  return "ok connections=" + std::to_string(pairs_.size()) +
         " accepted=" + std::to_string(accepted_) + " resets=" + std::to_string(resets_) +
         " bytes=" + std::to_string(passed);
}

std::string Proxy::set_weather(Weather& weather, std::string_view text) {
  const auto parsed = parse_weather(text, {});
  if (!parsed) return "error " + parsed.error().message;
  weather = *parsed;
  return "ok";
}

std::string Proxy::reset_some(std::string_view percent) {
  const auto share =
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(number_of(percent, 100), 0, 100));
  std::size_t count = 0;
  for (Pair& pair : pairs_) {
    if (pair.dead || random_() % 100 >= share) continue;
    reset(pair);
    ++count;
  }
  return "ok resets=" + std::to_string(count);
}

}  // namespace qylon::chaosproxy

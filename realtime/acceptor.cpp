#include "realtime/acceptor.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace qylon::realtime {
namespace {

constexpr int kBacklog = 1024;
constexpr int kNoDescriptorsPauseMs = 100;
constexpr int kNoRoomPauseMs = 10;

// What a slow reader has not been sent yet waits in its outbox, where newer replaces older and
// where it is counted, not in two megabytes of kernel memory.
constexpr int kUnsentBytesMax = 64 << 10;

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

Result<UniqueFd> bind_listener(const addrinfo& address, const std::string& shown) {
  UniqueFd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Error{ErrorCode::kUnavailable, std::string("no socket: ") + std::strerror(errno)};
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (::bind(fd.get(), address.ai_addr, address.ai_addrlen) == 0 &&
      ::listen(fd.get(), kBacklog) == 0)
    return fd;
  return Error{ErrorCode::kUnavailable, "cannot listen on " + shown + ": " + std::strerror(errno)};
}

Result<UniqueFd> listen_on(const std::string& name, int port) {
  const std::string host = name == "localhost" ? "127.0.0.1" : name;
  const std::string shown = host + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  if (port < 0 || port > 65'535 ||
      ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return Error{ErrorCode::kInvalidArgument,
                 "cannot listen on " + shown + ": give a numeric address and a port up to 65535"};
  auto listener = bind_listener(*found, shown);
  ::freeaddrinfo(found);
  return listener;
}

int bound_port(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;  // NOLINT
  sockaddr_in in{};
  sockaddr_in6 in6{};
  std::memcpy(&in, &address, sizeof(in));
  std::memcpy(&in6, &address, sizeof(in6));
  return ntohs(address.ss_family == AF_INET6 ? in6.sin6_port : in.sin_port);
}

}  // namespace

PeerAddress peer_address(const void* sockaddr_storage) {
  sockaddr_in in{};
  sockaddr_in6 in6{};
  std::memcpy(&in, sockaddr_storage, sizeof(in));
  std::memcpy(&in6, sockaddr_storage, sizeof(in6));
  const bool is_v6 = in.sin_family == AF_INET6;
  if (is_v6 && IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
    std::memcpy(&in.sin_addr, &in6.sin6_addr.s6_addr[12], sizeof(in.sin_addr));
  std::array<char, INET6_ADDRSTRLEN> text{};
  PeerAddress peer;
  if (is_v6 && !IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
    ::inet_ntop(AF_INET6, &in6.sin6_addr, text.data(), text.size());
    peer.is_loopback = IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr) != 0;
  } else {
    ::inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
    peer.is_loopback = (ntohl(in.sin_addr.s_addr) >> 24) == 127;
  }
  peer.text = text.data();
  return peer;
}

Result<std::unique_ptr<Acceptor>> Acceptor::start(const Options& options,
                                                  HasRoom has_room,
                                                  OnAccept on_accept) {
  std::vector<int> ports{options.port};
  ports.insert(ports.end(), options.also_ports.begin(), options.also_ports.end());
  std::vector<UniqueFd> listeners;
  for (const int port : ports) {
    auto listener = listen_on(options.host, port);
    if (!listener) return listener.error();
    listeners.push_back(*std::move(listener));
  }
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  QYLON_CHECK(wake >= 0);
  return std::unique_ptr<Acceptor>(
      new Acceptor(std::move(listeners), wake, std::move(has_room), std::move(on_accept)));
}

Acceptor::Acceptor(std::vector<UniqueFd> listeners, int wake, HasRoom has_room, OnAccept on_accept)
    : listeners_(std::move(listeners)),
      wake_(wake),
      has_room_(std::move(has_room)),
      on_accept_(std::move(on_accept)),
      port_(bound_port(listeners_.front().get())),
      thread_([this] { run(); }) {}

Acceptor::~Acceptor() {
  stop();
  thread_.join();
  ::close(wake_);
}

void Acceptor::stop() {
  const std::uint64_t one = 1;
  const ssize_t written = ::write(wake_, &one, sizeof(one));
  static_cast<void>(written);  // Full means that it is awake already.
}

void Acceptor::wait(int for_ms) const {
  pollfd wake{wake_, POLLIN, 0};
  ::poll(&wake, 1, for_ms);
}

void Acceptor::accept_all(int listener) {
  for (;;) {
    if (!has_room_()) return wait(kNoRoomPauseMs);
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    const int fd = ::accept4(listener,
                             reinterpret_cast<sockaddr*>(&address),  // NOLINT: the socket API.
                             &length,
                             SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytesMax);
      set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
      on_accept_(fd, peer_address(&address));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN) return;
    // Out of descriptors or memory: the queue keeps the peer; look again when some are free.
    return wait(kNoDescriptorsPauseMs);
  }
}

void Acceptor::run() {
  std::vector<pollfd> sources{{wake_, POLLIN, 0}};
  for (const UniqueFd& listener : listeners_)
    sources.push_back({listener.get(), POLLIN, 0});
  for (;;) {
    if (::poll(sources.data(), sources.size(), -1) < 0) continue;
    if (sources[0].revents != 0) break;
    for (const pollfd& source : sources) {
      if (source.revents != 0) accept_all(source.fd);
    }
  }
  listeners_.clear();
}

}  // namespace qylon::realtime

#pragma once
/// TCP on loopback, for tests that stand in for the other side.

#include <cstdint>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/check.hpp"
#include "core/unique_fd.hpp"

namespace qylon::test {

inline sockaddr_in loopback_address(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// Bytes, a connection or an end wait there; false when none came within `wait_ms`.
inline bool readable(int fd, int wait_ms) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, wait_ms) > 0;
}

/// A connection to `port`; none when it is refused.
inline UniqueFd connect_to_loopback(int port) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback_address(port);
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  if (::connect(socket.get(), where, sizeof(address)) != 0) socket.reset();
  return socket;
}

/// A listening socket on a free port.
class LoopbackListener {
 public:
  explicit LoopbackListener(int backlog = 128)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback_address(0);
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    QYLON_CHECK(::bind(socket_.get(), where, size) == 0);
    QYLON_CHECK(::listen(socket_.get(), backlog) == 0);
    QYLON_CHECK(::getsockname(socket_.get(), where, &size) == 0);
    port_ = ntohs(address.sin_port);
  }

  int port() const noexcept { return port_; }
  /// "127.0.0.1:PORT".
  std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
  /// Refuses whoever comes from now on.
  void close() { socket_.reset(); }
  /// The next connection; none when none came within `wait_ms`. `flags` as of accept4().
  UniqueFd accept(int wait_ms, int flags = SOCK_CLOEXEC) const {
    if (!readable(socket_.get(), wait_ms)) return {};
    return UniqueFd(::accept4(socket_.get(), nullptr, nullptr, flags));
  }

 private:
  UniqueFd socket_;
  int port_ = 0;
};

}  // namespace qylon::test

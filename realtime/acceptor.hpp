#pragma once
/// The listening sockets and their thread.

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/result.hpp"
#include "core/unique_fd.hpp"
#include "realtime/connection.hpp"

namespace qylon::realtime {

/// Threads : on_accept is called on the acceptor's thread and takes the socket over.
/// Errors  : start() kInvalidArgument for an address that is not numeric, kUnavailable when it
///           cannot be bound.
class Acceptor {
 public:
  struct Options {
    std::string host = "127.0.0.1";  ///< Numeric, or "localhost" for 127.0.0.1.
    int port = 0;
    std::vector<int>
        also_ports{};  ///< Further ones of the same host; what comes there is the same.
  };
  using OnAccept = std::function<void(int fd, PeerAddress peer)>;
  /// False: peers wait in the kernel's queue until it is true again. Asked on the same thread.
  using HasRoom = std::function<bool()>;

  static Result<std::unique_ptr<Acceptor>> start(const Options& options,
                                                 HasRoom has_room,
                                                 OnAccept on_accept);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  Acceptor(Acceptor&&) = delete;
  Acceptor& operator=(Acceptor&&) = delete;

  int port() const noexcept { return port_; }
  /// Closes the listening sockets soon; connections that wait in their queues are reset. Any
  /// thread.
  void stop();

 private:
  Acceptor(std::vector<UniqueFd> listeners, int wake, HasRoom has_room, OnAccept on_accept);
  void run();
  void accept_all(int listener);
  void wait(int for_ms) const;

  std::vector<UniqueFd> listeners_;  // The first one is that of port(); the thread's own.
  const int wake_;                   // eventfd
  const HasRoom has_room_;
  const OnAccept on_accept_;
  int port_ = 0;
  std::thread thread_;
};

/// The peer's address as text; IPv4 inside IPv6 is shown as IPv4.
PeerAddress peer_address(const void* sockaddr_storage);

}  // namespace qylon::realtime

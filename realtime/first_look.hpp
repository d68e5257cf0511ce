#pragma once
/// Requests that libwebsockets would answer wrongly by itself, or not at all.

#include <memory>

struct ev_io;
struct ev_loop;

namespace qylon::realtime {

/// Looks at a new connection's first bytes before libwebsockets does. `OPTIONS *` (RFC 9110 section
/// 9.3.7), with which libshout begins and which libwebsockets would refuse, is answered with the
/// methods that are taken; a target with %00, at which it would hang up, with 400. Then the
/// connection is closed. Everything else is left as it is. Behind TLS it sees nothing.
///
/// Cost    : one peek at the first bytes of a connection.
/// Threads : the connection's net thread.
class FirstLook {
 public:
  FirstLook();
  ~FirstLook();
  FirstLook(const FirstLook&) = delete;
  FirstLook& operator=(const FirstLook&) = delete;
  FirstLook(FirstLook&&) = delete;
  FirstLook& operator=(FirstLook&&) = delete;

  /// REQUIRES: once, before `loop` runs again.
  void start(int fd, struct ev_loop* loop);

 private:
  void stop();
  void on_first_bytes();

  struct ev_loop* loop_ = nullptr;
  std::unique_ptr<ev_io> readable_;  // Null when there is nothing to wait for any more.
};

}  // namespace qylon::realtime

#pragma once
/// `OPTIONS *` (RFC 9110 section 9.3.7), with which libshout begins and which libwebsockets answers
/// 403 by itself.

#include <memory>

struct ev_io;
struct ev_loop;

namespace qylon::realtime {

/// Looks at a new connection's first bytes before libwebsockets does. `OPTIONS *` is answered with
/// the methods that are taken, and the connection closed; everything else is left as it is. Behind
/// TLS it sees nothing.
///
/// Cost    : one peek at the first bytes of a connection.
/// Threads : the connection's net thread.
class OptionsProbe {
 public:
  OptionsProbe();
  ~OptionsProbe();
  OptionsProbe(const OptionsProbe&) = delete;
  OptionsProbe& operator=(const OptionsProbe&) = delete;
  OptionsProbe(OptionsProbe&&) = delete;
  OptionsProbe& operator=(OptionsProbe&&) = delete;

  /// REQUIRES: once, before `loop` runs again.
  void start(int fd, struct ev_loop* loop);

 private:
  void stop();
  void on_first_bytes();

  struct ev_loop* loop_ = nullptr;
  std::unique_ptr<ev_io> readable_;  // Null when there is nothing to wait for any more.
};

}  // namespace qylon::realtime

#pragma once
/// Reads the body of a request from its socket, past libwebsockets.

#include <functional>
#include <memory>
#include <string_view>

struct ev_loop;
struct lws;

namespace qylon::realtime {

/// For bodies that go on for hours: libwebsockets 4.1.6 takes 100 MiB of a body that has no length
/// and then hands over nothing more, for ever. It must not read meanwhile (lws_rx_flow_control).
///
/// Bounds  : one read of at most 16 KiB a turn of the loop.
/// Threads : the connection's net thread.
class BodySocket {
 public:
  struct Events {
    std::function<void(std::string_view)> on_bytes;
    std::function<void()> on_end;   ///< The peer has closed, or the connection broke.
    std::function<void()> on_tick;  ///< Every 50 ms, paused or not.
  };

  /// Begins paused.
  BodySocket(lws* wsi, struct ev_loop* loop, Events events);
  ~BodySocket();
  BodySocket(const BodySocket&) = delete;
  BodySocket& operator=(const BodySocket&) = delete;
  BodySocket(BodySocket&&) = delete;
  BodySocket& operator=(BodySocket&&) = delete;

  void pause(bool paused);
  /// No event comes any more.
  void stop();

 private:
  struct Watchers;
  void read_once();

  lws* const wsi_;
  struct ev_loop* const loop_;
  const Events events_;
  const std::unique_ptr<Watchers> watchers_;
};

}  // namespace qylon::realtime

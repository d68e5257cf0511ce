#pragma once
/// One outgoing WebSocket connection, as its users see it: recogniser engines that speak to a
/// server (models/) and the uplink client. realtime/ implements it.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace qylon {

/// Threads: send and close from any thread; callbacks come on the connector's own thread and must
/// not block.
class MessageChannel {
 public:
  struct Options {
    std::string url;                             ///< ws://host[:port]/path or wss://...
    std::string subprotocol;                     ///< Empty: none offered.
    std::map<std::string, std::string> headers;  ///< e.g. Authorization.
    std::int64_t connect_timeout_ms = 10'000;
    std::size_t send_buffer_bytes_max = 1 << 20;  ///< send returns false beyond it.
  };
  struct Events {
    std::function<void()> on_open;
    std::function<void(std::string_view)> on_text;
    std::function<void(std::span<const std::uint8_t>)> on_binary;
    /// Exactly once, after which no other callback comes. `code` is the close code, 1006 when the
    /// connection broke or never opened; `reason` says why in words.
    std::function<void(int code, std::string_view reason)> on_close;
  };

  MessageChannel() = default;
  /// Closes without waiting; no callback comes once the destructor has returned.
  virtual ~MessageChannel() = default;
  MessageChannel(const MessageChannel&) = delete;
  MessageChannel& operator=(const MessageChannel&) = delete;
  MessageChannel(MessageChannel&&) = delete;
  MessageChannel& operator=(MessageChannel&&) = delete;

  /// False when the send buffer is full or the channel has closed; nothing was queued then.
  virtual bool send_text(std::string_view text) = 0;
  virtual bool send_binary(std::span<const std::uint8_t> bytes) = 0;
  /// Sends what is queued, then a close frame with 1000.
  virtual void close() = 0;
};

class MessageConnector {
 public:
  MessageConnector() = default;
  virtual ~MessageConnector() = default;
  MessageConnector(const MessageConnector&) = delete;
  MessageConnector& operator=(const MessageConnector&) = delete;
  MessageConnector(MessageConnector&&) = delete;
  MessageConnector& operator=(MessageConnector&&) = delete;

  /// Errors: kInvalidArgument for a URL that is not ws:// or wss://. Failures to connect come
  /// through on_close.
  virtual Result<std::unique_ptr<MessageChannel>> connect(MessageChannel::Options options,
                                                          MessageChannel::Events events) = 0;
};

}  // namespace qylon

#pragma once
/// Outgoing WebSocket connections over libwebsockets.

#include <memory>
#include <string>

#include "core/message_channel.hpp"
#include "core/result.hpp"

namespace qylon::realtime {

/// One thread serves every channel it opens. Certificates of wss:// are verified against the
/// system's store and `ca_file`.
///
/// Threads : connect() from any thread; see MessageChannel for the rest. Must outlive its channels.
/// Bounds  : a message received may have 1 MiB; a longer one closes the channel with 1009.
class WsConnector final : public MessageConnector {
 public:
  struct Options {
    std::string ca_file;  ///< PEM, in addition to the system's store; empty: none.
  };

  /// Errors: kInternal when libwebsockets cannot start.
  static Result<std::unique_ptr<WsConnector>> create(const Options& options);
  ~WsConnector() override;

  Result<std::unique_ptr<MessageChannel>> connect(MessageChannel::Options options,
                                                  MessageChannel::Events events) override;

  class Loop;  // Public only so that libwebsockets' callback can name it.

 private:
  explicit WsConnector(std::shared_ptr<Loop> loop);

  std::shared_ptr<Loop> loop_;
};

}  // namespace qylon::realtime

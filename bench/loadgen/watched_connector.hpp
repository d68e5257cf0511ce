#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "core/message_channel.hpp"

namespace qylon::loadgen {

/// Opens channels through another connector and tells a watcher what passes, both ways.
///
/// Threads : as the other connector's. `sent` runs on the sender's thread, the others on the
///           connector's, before the channel's own user hears the same.
class WatchedConnector final : public MessageConnector {
 public:
  struct Watcher {
    std::function<void(std::span<const std::uint8_t>)> sent;  ///< A binary message was queued.
    std::function<void(std::string_view)> heard;              ///< A text came.
    std::function<void(int code)> closed;
  };
  WatchedConnector(MessageConnector& connector, Watcher watcher)
      : connector_(connector), watcher_(std::move(watcher)) {}

  Result<std::unique_ptr<MessageChannel>> connect(MessageChannel::Options options,
                                                  MessageChannel::Events events) override;

 private:
  MessageConnector& connector_;
  const Watcher watcher_;
};

}  // namespace qylon::loadgen

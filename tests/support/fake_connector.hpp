#pragma once
/// The far side of a WebSocket connection, played by the test.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/message_channel.hpp"

namespace qylon::test {

/// One connection as the far side sees it. `events` are the callbacks of the near side.
struct FakePeer {
  MessageChannel::Options options;
  MessageChannel::Events events;
  std::vector<std::string> texts;
  std::vector<std::vector<std::uint8_t>> binaries;
  std::size_t binaries_max = std::numeric_limits<std::size_t>::max();  ///< Then sending is refused.
  bool asked_to_close = false;
  bool destroyed = false;
};

class FakeChannel final : public MessageChannel {
 public:
  explicit FakeChannel(std::shared_ptr<FakePeer> peer) : peer_(std::move(peer)) {}
  ~FakeChannel() override { peer_->destroyed = true; }
  FakeChannel(const FakeChannel&) = delete;
  FakeChannel& operator=(const FakeChannel&) = delete;
  FakeChannel(FakeChannel&&) = delete;
  FakeChannel& operator=(FakeChannel&&) = delete;

  bool send_text(std::string_view text) override {
    peer_->texts.emplace_back(text);
    return true;
  }
  bool send_binary(std::span<const std::uint8_t> bytes) override {
    if (peer_->binaries.size() >= peer_->binaries_max) return false;
    peer_->binaries.emplace_back(bytes.begin(), bytes.end());
    return true;
  }
  void close() override { peer_->asked_to_close = true; }

 private:
  const std::shared_ptr<FakePeer> peer_;
};

class FakeConnector final : public MessageConnector {
 public:
  Result<std::unique_ptr<MessageChannel>> connect(MessageChannel::Options options,
                                                  MessageChannel::Events events) override {
    if (!options.url.starts_with("ws")) {
      return Error{ErrorCode::kInvalidArgument, "not a WebSocket URL: " + options.url};
    }
    auto peer = std::make_shared<FakePeer>();
    peer->options = std::move(options);
    peer->events = std::move(events);
    peers.push_back(peer);
    return std::unique_ptr<MessageChannel>(std::make_unique<FakeChannel>(std::move(peer)));
  }

  /// Every connection so far, the newest last.
  std::vector<std::shared_ptr<FakePeer>> peers;
};

}  // namespace qylon::test

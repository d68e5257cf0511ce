#include "bench/loadgen/watched_connector.hpp"

#include <utility>

namespace qylon::loadgen {
namespace {

class WatchedChannel final : public MessageChannel {
 public:
  WatchedChannel(std::unique_ptr<MessageChannel> channel, const WatchedConnector::Watcher& watcher)
      : channel_(std::move(channel)), watcher_(watcher) {}

  bool send_text(std::string_view text) override { return channel_->send_text(text); }
  bool send_binary(std::span<const std::uint8_t> bytes) override {
    // Told first: the answer may be here before send_binary() returns.
    watcher_.sent(bytes);
    return channel_->send_binary(bytes);
  }
  void close() override { channel_->close(); }

 private:
  const std::unique_ptr<MessageChannel> channel_;
  const WatchedConnector::Watcher& watcher_;
};

}  // namespace

Result<std::unique_ptr<MessageChannel>> WatchedConnector::connect(MessageChannel::Options options,
                                                                  MessageChannel::Events events) {
  MessageChannel::Events watched = events;
  watched.on_text = [this, on_text = events.on_text](std::string_view text) {
    watcher_.heard(text);
    if (on_text) on_text(text);
  };
  watched.on_close = [this, on_close = events.on_close](int code, std::string_view reason) {
    watcher_.closed(code);
    if (on_close) on_close(code, reason);
  };
  auto channel = connector_.connect(std::move(options), std::move(watched));
  if (!channel) return channel.error();
  return std::unique_ptr<MessageChannel>(
      std::make_unique<WatchedChannel>(*std::move(channel), watcher_));
}

}  // namespace qylon::loadgen

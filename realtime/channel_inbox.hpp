#pragma once
/// What an outgoing WebSocket connection has said, waiting for the thread that owns it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/message_channel.hpp"
#include "core/sync.hpp"

namespace qylon::realtime {

/// Bounds  : 256 texts of at most 16 KiB; more drops the oldest, a longer one is dropped, and both
///           are counted. Open and close are never dropped. Binary messages are not kept.
/// Threads : every method is safe from any thread. Outlives the channel that fills it.
class ChannelInbox {
 public:
  struct Closed {
    int code = 0;
    std::string reason;
  };
  struct Taken {
    bool opened = false;
    std::vector<std::string> texts;
    std::optional<Closed> closed;
  };

  /// Callbacks that fill this inbox, for MessageConnector::connect().
  MessageChannel::Events events();
  /// Everything since the last call, in the order open, texts, close.
  Taken take() QYLON_EXCLUDES(mutex_);
  /// Forgets everything. REQUIRES: no channel fills it.
  void clear() QYLON_EXCLUDES(mutex_);
  /// Blocks until there is something, or until `timeout`.
  void wait_for(std::chrono::microseconds timeout) QYLON_EXCLUDES(mutex_);
  std::uint64_t dropped() const QYLON_EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kTextsMax = 256;
  static constexpr std::size_t kTextBytesMax = 16'384;

  bool empty() const QYLON_REQUIRES(mutex_);

  mutable Mutex mutex_;
  Condition filled_;
  bool opened_ QYLON_GUARDED_BY(mutex_) = false;
  std::deque<std::string> texts_ QYLON_GUARDED_BY(mutex_);
  std::optional<Closed> closed_ QYLON_GUARDED_BY(mutex_);
  std::uint64_t dropped_ QYLON_GUARDED_BY(mutex_) = 0;
};

}  // namespace qylon::realtime

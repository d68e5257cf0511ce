#pragma once
/// What a MessageChannel and the connector's thread share about one outgoing connection.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "core/message_channel.hpp"
#include "core/sync.hpp"
#include "realtime/ws_url.hpp"

namespace qylon::realtime {

/// Threads : the queue from any thread; report_...() on the connector's thread only.
/// Bounds  : MessageChannel::Options::send_buffer_bytes_max waiting to be sent; 1 MiB received.
class ClientLink {
 public:
  struct Outgoing {
    bool is_text = false;
    std::string bytes;  ///< kPrefixBytes of room, then the message.
  };
  static constexpr std::size_t kReceivedBytesMax = 1 << 20;

  /// `prefix_bytes` of room are left in front of every message for libwebsockets.
  ClientLink(MessageChannel::Options options,
             MessageChannel::Events events,
             WsUrl url,
             std::size_t prefix_bytes);

  const MessageChannel::Options& options() const noexcept { return options_; }
  const WsUrl& url() const noexcept { return url_; }

  // Any thread.
  bool enqueue(std::string_view message, bool is_text) QYLON_EXCLUDES(mutex_);
  void ask_to_close() QYLON_EXCLUDES(mutex_);
  /// After this returns no callback runs; called from inside a callback it returns at once.
  void detach() QYLON_EXCLUDES(mutex_);
  bool closing() const QYLON_EXCLUDES(mutex_);
  bool detached() const QYLON_EXCLUDES(mutex_);
  std::optional<Outgoing> next_outgoing() QYLON_EXCLUDES(mutex_);

  // The connector's thread.
  void report_open();
  /// A fragment; false when the message grows too long.
  bool report_part(std::string_view bytes, bool is_last, bool is_text);
  void note_peer_close(int code, std::string_view reason);
  /// Reports on_close, unless it was reported: what the peer said, else `code` and `reason`.
  void report_close(int code, std::string_view reason);
  bool opened() const noexcept { return opened_; }

 private:
  template <typename Call>
  void call(const Call& callback) QYLON_EXCLUDES(mutex_);

  const MessageChannel::Options options_;  // Constant after construction.
  const WsUrl url_;                        // Constant after construction.
  const std::size_t prefix_bytes_;         // Constant after construction.

  mutable Mutex mutex_;
  Condition idle_;
  std::deque<Outgoing> queue_ QYLON_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ QYLON_GUARDED_BY(mutex_) = 0;
  bool closing_ QYLON_GUARDED_BY(mutex_) = false;
  bool detached_ QYLON_GUARDED_BY(mutex_) = false;
  std::optional<std::thread::id> calling_ QYLON_GUARDED_BY(mutex_);

  // Owned by the connector's thread; the callbacks are not touched once detached.
  MessageChannel::Events events_;
  bool opened_ = false;
  bool reported_close_ = false;
  std::string message_;
  int peer_code_ = 0;
  std::string peer_reason_;
};

}  // namespace qylon::realtime

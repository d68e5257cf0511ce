#pragma once
/// One segment's connection to a WebSocket engine.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/message_channel.hpp"
#include "core/sync.hpp"
#include "models/recogniser.hpp"
#include "models/websocket_dialect.hpp"

namespace qylon::models {

/// Threads: every method is safe from any thread; the sink is called under the stream's lock, so
///          that its results come in order.
class WebSocketStream : public std::enable_shared_from_this<WebSocketStream> {
 public:
  struct Options {
    std::uint64_t segment = 0;
    std::int64_t start_sample = 0;
    std::string engine;
    std::string language;
    std::int64_t timeout_ms = 15'000;
  };
  WebSocketStream(Options options,
                  std::unique_ptr<WebSocketDialect> dialect,
                  std::shared_ptr<RecogniserSink> sink,
                  const Clock& clock);

  /// Call once, before anything else.
  void connect(MessageConnector& connector, const std::string& url) QYLON_EXCLUDES(mutex_);
  void push(std::span<const float> samples) QYLON_EXCLUDES(mutex_);
  void end(std::int64_t end_sample) QYLON_EXCLUDES(mutex_);
  void fail(std::string_view reason) QYLON_EXCLUDES(mutex_);
  /// No result is wanted any more.
  void abandon() QYLON_EXCLUDES(mutex_);

  /// Fails what has waited too long. True when the stream is done and may be destroyed.
  bool tend() QYLON_EXCLUDES(mutex_);
  /// The channel, for destruction outside its own callbacks; null when it was taken before.
  std::unique_ptr<MessageChannel> take_channel() QYLON_EXCLUDES(mutex_);
  /// Speech that was ended and is not answered [samples].
  std::int64_t waiting_samples() const QYLON_EXCLUDES(mutex_);

 private:
  enum class State : std::uint8_t {
    kConnecting,
    kOpen,
    kBroken,  // Failed while the segment still runs: it is told when the segment ends.
    kDone,
  };

  MessageChannel::Events events();
  void on_open() QYLON_EXCLUDES(mutex_);
  void on_text(std::string_view text) QYLON_EXCLUDES(mutex_);
  void on_close(int code, std::string_view reason) QYLON_EXCLUDES(mutex_);
  void send_pending() QYLON_REQUIRES(mutex_);
  void send_farewell() QYLON_REQUIRES(mutex_);
  void break_off(std::string reason) QYLON_REQUIRES(mutex_);
  void report(RecogniserResult::Kind kind, std::string reason) QYLON_REQUIRES(mutex_);
  std::vector<Word> words_on_sample_clock() const QYLON_REQUIRES(mutex_);

  const Options options_;  // Constant after construction.
  const Clock& clock_;
  mutable Mutex mutex_;
  const std::unique_ptr<WebSocketDialect> dialect_ QYLON_GUARDED_BY(mutex_);
  std::shared_ptr<RecogniserSink> sink_ QYLON_GUARDED_BY(mutex_);
  std::unique_ptr<MessageChannel> channel_ QYLON_GUARDED_BY(mutex_);
  State state_ QYLON_GUARDED_BY(mutex_) = State::kConnecting;
  std::vector<std::int16_t> pending_ QYLON_GUARDED_BY(mutex_);
  std::int64_t received_samples_ QYLON_GUARDED_BY(mutex_) = 0;
  std::int64_t sent_samples_ QYLON_GUARDED_BY(mutex_) = 0;
  std::int64_t kept_samples_ QYLON_GUARDED_BY(mutex_) = 0;  // Once ended.
  bool greeted_ QYLON_GUARDED_BY(mutex_) = false;
  bool ended_ QYLON_GUARDED_BY(mutex_) = false;
  std::string failure_ QYLON_GUARDED_BY(mutex_);
  std::int64_t deadline_us_ QYLON_GUARDED_BY(mutex_) = 0;
  std::uint32_t revision_ QYLON_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> last_words_ QYLON_GUARDED_BY(mutex_);
};

}  // namespace qylon::models

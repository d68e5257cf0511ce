#pragma once
/// Engines behind a WebSocket: the Vosk server and the sherpa-onnx streaming server.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/message_channel.hpp"
#include "core/result.hpp"
#include "models/recogniser.hpp"
#include "models/websocket_dialect.hpp"

namespace qylon::models {

class WebSocketStreams;

/// One connection per segment: audio goes out as it comes, partials come back, the final ends it.
///
/// Threads : as models/recogniser.hpp; results come on the connector's thread or on one thread of
///           its own, role `recogniser`, which ends what takes too long.
/// Bounds  : `segments_max` connections; per connection 60 s of audio until it is open, then the
///           channel's send buffer. What does not fit fails its segment.
/// Errors  : a segment fails when the server cannot be reached, closes early, sends what is not in
///           its protocol or does not end within `timeout_ms` of the segment's end.
class WebSocketRecogniser final : public Recogniser {
 public:
  struct Options {
    std::string engine;  ///< "vosk-ws" or "sherpa-ws".
    std::string url;     ///< ws:// or wss://
    std::string language;
    std::int64_t timeout_ms = 15'000;
    std::size_t segments_max = 256;
  };
  struct Deps {
    MessageConnector& connector;
    Counters& counters;
    const Clock& clock;
  };

  /// Errors: kInvalidArgument for another engine name or a URL that is not ws:// or wss://.
  static Result<std::unique_ptr<WebSocketRecogniser>> create(Options options, const Deps& deps);
  ~WebSocketRecogniser() override;
  WebSocketRecogniser(const WebSocketRecogniser&) = delete;
  WebSocketRecogniser& operator=(const WebSocketRecogniser&) = delete;
  WebSocketRecogniser(WebSocketRecogniser&&) = delete;
  WebSocketRecogniser& operator=(WebSocketRecogniser&&) = delete;

  RecogniserCaps caps() const override;
  std::int64_t lag_ms() const override;
  std::unique_ptr<RecogniserSession> open(const RecogniserSessionOptions& options,
                                          std::shared_ptr<RecogniserSink> sink) override;

 private:
  WebSocketRecogniser(Options options, const Deps& deps);

  const Options options_;  // Constant after construction.
  const std::shared_ptr<WebSocketStreams> streams_;
  std::thread thread_;
};

}  // namespace qylon::models

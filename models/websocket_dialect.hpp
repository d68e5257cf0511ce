#pragma once
/// What is particular to each WebSocket engine: what is said, and what the answers mean.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/worker/messages.hpp"

namespace qylon::models {

/// One segment's conversation. Threads: one at a time.
class WebSocketDialect {
 public:
  enum class Heard : std::uint8_t {
    kNothing,   ///< Nothing to show.
    kPartial,   ///< words() has changed.
    kComplete,  ///< The server has said all of the segment.
    kBroken,    ///< Not this protocol.
  };

  WebSocketDialect() = default;
  virtual ~WebSocketDialect() = default;
  WebSocketDialect(const WebSocketDialect&) = delete;
  WebSocketDialect& operator=(const WebSocketDialect&) = delete;
  WebSocketDialect(WebSocketDialect&&) = delete;
  WebSocketDialect& operator=(WebSocketDialect&&) = delete;

  /// First text message; empty: none.
  virtual std::string greeting() const = 0;
  /// One binary message of int16 samples.
  virtual std::string encode(std::span<const std::int16_t> samples) = 0;
  /// Text message that ends the segment.
  virtual std::string farewell() = 0;
  /// `span_ms` is the audio sent so far.
  virtual Heard hear(std::string_view text, std::int64_t span_ms) = 0;
  /// True when the server closing the connection now means that it has said all.
  virtual bool close_completes() const = 0;
  /// All words so far, in ms since the segment's start.
  virtual std::vector<DecodedWord> words() const = 0;
};

/// vosk-server: config, s16le, one reply per binary message, {"eof" : 1}.
/// Source: alphacep/vosk-server, websocket/asr_server.py.
std::unique_ptr<WebSocketDialect> make_vosk_dialect(std::vector<std::string> phrases);
/// sherpa-onnx online-websocket-server: float32 samples, `Done`, then `Done!`.
/// Source: k2-fsa/sherpa-onnx, python-api-examples/online-websocket-client-decode-file.py.
std::unique_ptr<WebSocketDialect> make_sherpa_dialect();

}  // namespace qylon::models

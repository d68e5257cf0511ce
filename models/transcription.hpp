#pragma once
/// What engines outside this process answer, read from their JSON. Everything here comes from a
/// peer: anything but the expected form is refused, never trusted.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/worker/messages.hpp"

namespace qylon::models {

// Limits on a peer's JSON; a larger or deeper text is refused before it is built.
inline constexpr std::size_t kTranscriptionBytesMax = 1U << 20;
inline constexpr int kTranscriptionDepthMax = 8;

/// Words of one stretch of audio, in ms since its start.
struct Transcription {
  bool is_final = false;
  std::vector<DecodedWord> words;
  std::string language;  ///< As told by the engine, or empty.
};

/// Splits `text` at white space and spreads the words over [start_ms, end_ms) by their letters.
std::vector<DecodedWord> spread_words(std::string_view text,
                                      std::int64_t start_ms,
                                      std::int64_t end_ms,
                                      float confidence);

/// Vosk, library and server: {"partial", "partial_result": [...]} or {"text", "result": [{"word",
/// "start", "end", "conf"}]}. `span_ms` is the audio so far, for words without times.
std::optional<Transcription> parse_vosk(std::string_view json, std::int64_t span_ms);
/// The vosk server's first message.
std::string vosk_config(const std::vector<std::string>& phrases);

/// sherpa-onnx streaming server: {"text", "tokens", "timestamps", "start_time", "segment",
/// "is_final", "is_eof"}. `segment` numbers utterances inside one stream.
struct SherpaResult {
  Transcription transcription;
  std::int64_t segment = 0;
};
std::optional<SherpaResult> parse_sherpa(std::string_view json, std::int64_t span_ms);

/// OpenAI's /v1/audio/transcriptions: json {"text"} or verbose_json {"text", "language", "words":
/// [{"word", "start", "end"}], "segments": [{"start", "end", "text", "words"?}]}.
std::optional<Transcription> parse_openai(std::string_view json, std::int64_t span_ms);

}  // namespace qylon::models

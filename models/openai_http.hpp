#pragma once
/// Any server that speaks OpenAI's /v1/audio/transcriptions: whisper.cpp, speaches, vLLM, OpenAI.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "models/recogniser.hpp"

namespace qylon::models {

class OpenAiQueue;

/// Finals only: each ended segment is one request with a 16 kHz WAV file.
///
/// Threads : as models/recogniser.hpp; `concurrency` threads of its own, role `recogniser`.
/// Bounds  : a segment of 60 s, `speech_samples_max` in all and 1000 segments may wait; what does
///           not fit fails. A segment is given up after `timeout_ms` * 2, all attempts together.
/// Errors  : a segment fails after the retries, with what the server said. After three failed
///           segments running, the server is left alone for 5 s, doubling to 60 s: segments fail at
///           once in that time, so that a fall-back engine answers without delay.
/// Source  : OpenAI API reference, "Create transcription".
class OpenAiHttpRecogniser final : public Recogniser {
 public:
  struct Options {
    std::string base_url;  ///< http:// or https://, up to and without /audio.
    std::string key;       ///< Sent as bearer token; empty: none. Never logged.
    std::string model;
    std::string language;              ///< ISO 639-1 or empty.
    std::int64_t timeout_ms = 30'000;  ///< One attempt.
    int concurrency = 2;
    int retries = 2;                   ///< After connection failures, time-outs, 408, 429 and 5xx.
    std::int64_t retry_base_ms = 250;  ///< First wait at most; doubles, full jitter.
    std::int64_t speech_samples_max = 600LL * kRecogniserRateHz;
  };
  struct Deps {
    const Log& log;
    Counters& counters;
    const Clock& clock;
  };

  /// Errors: kInvalidArgument when base_url is not http(s).
  static Result<std::unique_ptr<OpenAiHttpRecogniser>> create(Options options, const Deps& deps);
  ~OpenAiHttpRecogniser() override;
  OpenAiHttpRecogniser(const OpenAiHttpRecogniser&) = delete;
  OpenAiHttpRecogniser& operator=(const OpenAiHttpRecogniser&) = delete;
  OpenAiHttpRecogniser(OpenAiHttpRecogniser&&) = delete;
  OpenAiHttpRecogniser& operator=(OpenAiHttpRecogniser&&) = delete;

  RecogniserCaps caps() const override;
  std::int64_t lag_ms() const override;
  std::unique_ptr<RecogniserSession> open(const RecogniserSessionOptions& options,
                                          std::shared_ptr<RecogniserSink> sink) override;

 private:
  OpenAiHttpRecogniser(Options options, const Deps& deps);

  const Options options_;  // Constant after construction.
  const std::shared_ptr<OpenAiQueue> queue_;
  std::vector<std::thread> threads_;
};

}  // namespace qylon::models

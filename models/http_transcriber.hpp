#pragma once
/// One HTTP exchange with a transcription server.

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "models/transcription.hpp"

namespace qylon::models {

/// Threads: one at a time; keeps its connection open between calls.
class HttpTranscriber {
 public:
  struct Options {
    std::string base_url;
    std::string key;
    std::string model;
    std::string language;
  };
  /// `stop` ends a running request within a second when it becomes true; it must outlive this.
  HttpTranscriber(Options options, const std::atomic<bool>& stop);
  ~HttpTranscriber();
  HttpTranscriber(const HttpTranscriber&) = delete;
  HttpTranscriber& operator=(const HttpTranscriber&) = delete;
  HttpTranscriber(HttpTranscriber&&) = delete;
  HttpTranscriber& operator=(HttpTranscriber&&) = delete;

  /// int16[samples] at 16 kHz -> words. `prompt` biases the server towards its words.
  /// Errors: kUnavailable when another attempt may succeed (no connection, time-out, 408, 429,
  ///         5xx), kInvalidArgument when it will not (other statuses, an unreadable answer).
  Result<Transcription> transcribe(std::span<const std::int16_t> samples,
                                   std::string_view prompt,
                                   std::int64_t timeout_ms);

 private:
  struct Reply {
    long status = 0;
    std::string body;
  };
  Result<Reply> post(std::span<const std::int16_t> samples,
                     std::string_view prompt,
                     std::int64_t timeout_ms);

  const Options options_;  // Constant after construction.
  const std::atomic<bool>& stop_;
  void* const handle_;       // CURL easy handle.
  bool plain_json_ = false;  // The server refused verbose_json once.
};

}  // namespace qylon::models

#pragma once
/// A language model on another server.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/core/outbound.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/result.hpp"

namespace qylon::api {

/// A server that speaks as OpenAI's or as Anthropic's does.
///
/// Threads : complete() from any thread; its answers come on the thread of an Outbound of its own.
/// Bound   : 8 requests run and 100 wait; a server that fails five times is left alone for 30 s.
/// Metric  : ai_processing_duration_seconds, of every request with an answer or without.
/// Source  : OpenAI API reference, "Create chat completion"; Anthropic API reference, "Messages",
///           version 2023-06-01.
class LanguageModel {
 public:
  struct Options {
    std::string dialect = "openai";  ///< Or "anthropic".
    std::string base_url{};          ///< "https://api.openai.com/v1"; may be private, without TLS.
    std::string model{};
    std::string key{};  ///< Empty: none is sent.
    std::int64_t timeout_ms = 60'000;
  };
  /// Errors: kInvalidArgument for a dialect, URL or model that cannot be asked.
  static Result<std::unique_ptr<LanguageModel>> create(Options options,
                                                       const Clock& clock,
                                                       Counters& counters);

  struct Prompt {
    std::string instructions;  ///< Ours.
    std::string input;         ///< Others' words.
    std::string key{};         ///< Not empty: instead of Options::key.
  };
  struct Answer {
    Result<std::string> text;         ///< A JSON object, as far as the model obeys.
    std::int64_t retry_after_ms = 0;  ///< Of a server that refused for now.
  };
  /// Errors of Answer::text: kForbidden for a key that is not taken; kInvalidArgument for a request
  ///         that is not; kUnavailable for everything that may be tried again.
  using Done = std::function<void(Answer)>;
  void complete(const Prompt& prompt, Done done);

  const std::string& name() const noexcept { return options_.model; }

 private:
  LanguageModel(Options options, const std::string& authority, const Clock&, Counters& counters);

  const Options options_;  // Constant after construction.
  const Clock& clock_;
  Histogram& seconds_;
  Outbound outbound_;
};

}  // namespace qylon::api

#pragma once
/// Two recognisers as one: what the first cannot do or fails to answer, the second does.

#include <memory>

#include "core/counters.hpp"
#include "models/recogniser.hpp"
#include "models/speech_budget.hpp"

namespace qylon::models {

/// A segment that `primary` fails is decoded by `secondary`, and its final says so in `engine`.
/// When `primary` shows no partials, they come from `secondary`, whose own final is not asked for.
///
/// Threads : as models/recogniser.hpp.
/// Bounds  : audio of unanswered segments is kept for the second try, at most `samples_max` in all;
///           beyond it a failed segment stays failed.
class FallbackRecogniser final : public Recogniser {
 public:
  FallbackRecogniser(std::unique_ptr<Recogniser> primary,
                     std::unique_ptr<Recogniser> secondary,
                     std::int64_t samples_max,
                     Counters& counters);

  RecogniserCaps caps() const override;
  std::int64_t lag_ms() const override;
  std::unique_ptr<RecogniserSession> open(const RecogniserSessionOptions& options,
                                          std::shared_ptr<RecogniserSink> sink) override;

 private:
  const std::unique_ptr<Recogniser> primary_;    // Constant after construction.
  const std::unique_ptr<Recogniser> secondary_;  // Constant after construction.
  const std::shared_ptr<SpeechBudget> budget_;
  Counter& fallbacks_;
};

}  // namespace qylon::models

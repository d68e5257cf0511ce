#pragma once
/// What a language model is asked about a meeting, and what of its answer is believed.

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "api/insight/meeting_insights.hpp"
#include "core/result.hpp"

namespace qylon::api {

/// What the model is to do with a transcript; the same for every meeting.
std::string insight_instructions();

/// Bytes of a transcript that a model gets: some three hours. Of a longer one the middle is left
/// out.
inline constexpr std::size_t kModelInputBytesMax = 400'000;

/// One JSON object a line: {"offset":12,"at_s":81,"speaker":"Ann","text":"..."}; the first one
/// holds the date.
std::string insight_input(std::span<const SpokenLine> lines, std::chrono::year_month_day said_on);

/// `found` with the summary, decisions, keywords, mood and action items of the model's answer.
///
/// Whoever speaks in a meeting speaks to the model too, so nothing of the answer is believed but
/// what the transcript can bear: sentences name an utterance that is there, people are its
/// speakers, days lie within five years, texts hold no address and no control character. What is
/// not so is left out.
/// Errors: kUnavailable for an answer that is no such object, or has nothing left of its summary.
Result<MeetingInsights> read_model_answer(std::string_view answer,
                                          std::span<const SpokenLine> lines,
                                          std::chrono::year_month_day said_on,
                                          MeetingInsights found);

}  // namespace qylon::api

#pragma once
/// What a meeting's transcript says about the meeting, without any model.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "api/insight/action_items.hpp"
#include "api/insight/sentences.hpp"

namespace qylon::api {

struct SpeakerInsight {
  std::string name;  ///< Empty: unknown.
  std::int64_t talk_ms = 0;
  std::size_t words = 0;
  std::size_t questions = 0;
  double sentiment = 0;  ///< [-1, 1].
};

/// A sentence and where it was said.
struct Quote {
  std::int64_t offset = 0;
  std::int64_t start_ms = 0;
  std::string speaker;
  std::string text;
};

struct SentimentPart {
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  double sentiment = 0;
};

struct MeetingInsights {
  std::vector<Quote> summary;             ///< In the order in which it was said.
  std::vector<Quote> decisions;           ///< "We agreed to ..."
  std::vector<std::string> keywords;      ///< The most frequent first.
  std::vector<SpeakerInsight> speakers;   ///< Who talked longest first.
  std::vector<SentimentPart> sentiments;  ///< Ten equal parts of the meeting.
  std::vector<ActionItem> action_items;
  double sentiment = 0;  ///< Of all sentences, by their words; [-1, 1].
  std::size_t words = 0;
};

inline constexpr std::size_t kSummaryMax = 7;
inline constexpr std::size_t kDecisionsMax = 50;
inline constexpr std::size_t kKeywordsMax = 12;

/// Input  : the whole transcript in order; `said_on` is the meeting's date.
/// Cost   : as find_action_items(), sentiment() and summarise(): about 2 us a word.
MeetingInsights read_insights(std::span<const SpokenLine> lines,
                              std::chrono::year_month_day said_on);

}  // namespace qylon::api

#pragma once
/// The day that a sentence names, seen from the day on which it was said.

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "api/insight/sentences.hpp"

namespace qylon::api {

/// Input  : words of English speech; `said_on` is the meeting's date.
/// Output : the first day named: "today", "tomorrow", "by friday" (the next one, not today), "next
///          friday" (of the next week), "this week" and "next week" (their Fridays), "end of the
///          month", "next month" (their last days), "in two weeks", "march 5th", "the 5th of march"
///          (the next one), "2026-03-05". Weeks begin on Monday.
std::optional<std::chrono::year_month_day> due_date(std::span<const SpokenWord> words,
                                                    std::chrono::year_month_day said_on);

/// "2026-03-05".
std::string day_text(std::chrono::year_month_day day);

}  // namespace qylon::api

#pragma once
/// What people in a meeting said that somebody will do.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/insight/sentences.hpp"

namespace qylon::api {

struct ActionItem {
  std::size_t line = 0;  ///< Index of the utterance.
  int number = 0;        ///< Among the items of the utterance, from 0.
  std::string text;      ///< "Send the figures to Ann by Friday".
  std::string assignee;  ///< Name of a speaker; empty: the group, or unknown.
  std::optional<std::chrono::year_month_day> due;
  float confidence = 0;  ///< [0, 1]: how sure this kind of phrase is.
};

inline constexpr std::size_t kActionItemsMax = 500;

/// Finds commitments ("I'll send ..."), requests ("Bob, can you check ..."), resolutions ("we need
/// to fix ...") and what is called an action item, by their phrases before a verb of doing. Without
/// a model: English, and what is said in other words is not found.
///
/// Input  : `lines` of one meeting in order; `said_on` its date, from which days count.
/// Cost   : linear in the words.
std::vector<ActionItem> find_action_items(std::span<const SpokenLine> lines,
                                          std::chrono::year_month_day said_on);

}  // namespace qylon::api

#pragma once
/// A meeting's words as rows, and what was found in them.

#include <chrono>
#include <string>
#include <vector>

#include "api/insight/meeting_insights.hpp"
#include "core/result.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

struct MeetingWords {
  std::string meeting;  ///< UUID.
  std::string org;      ///< UUID.
  std::chrono::year_month_day said_on{};
  std::vector<SpokenLine> lines;  ///< With the speakers that hold now.
};

/// `payload` is a job's, {"meeting":"UUID"}. Errors: kNotFound.
Result<MeetingWords> read_meeting_words(storage::Sql& sql, const std::string& payload);

/// In place of what was found before; action items that people have changed or made stay.
void store_insights(storage::Sql& sql,
                    const MeetingWords& words,
                    const MeetingInsights& found,
                    const std::string& engine);

}  // namespace qylon::api

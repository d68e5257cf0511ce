// A model's answer: any bytes, and nothing is taken that the transcript does not bear out.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "api/insight/model_answer.hpp"
#include "core/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qylon::api::SpokenLine;
  const std::chrono::year_month_day said_on = std::chrono::year(2026) / 3 / 4;
  const std::vector<SpokenLine> lines{{1, 1000, 1900, "Ann", "We agreed to send the figures."},
                                      {2, 2000, 2900, "Bob", "I'll send them tomorrow."}};
  const auto found = qylon::api::read_model_answer({reinterpret_cast<const char*>(data), size},
                                                   lines,
                                                   said_on,
                                                   qylon::api::read_insights(lines, said_on));
  if (!found) return 0;
  QYLON_CHECK(std::abs(found->sentiment) <= 1);
  QYLON_CHECK(!found->summary.empty() && found->summary.size() <= qylon::api::kSummaryMax);
  QYLON_CHECK(found->keywords.size() <= qylon::api::kKeywordsMax);
  for (const auto& quote : found->summary)
    QYLON_CHECK(quote.offset == 1 || quote.offset == 2);
  for (const auto& item : found->action_items) {
    QYLON_CHECK(item.line < lines.size());
    QYLON_CHECK(item.assignee.empty() || item.assignee == "Ann" || item.assignee == "Bob");
    QYLON_CHECK(item.text.find("://") == std::string::npos);
    QYLON_CHECK(!item.due || (item.due->ok() && *item.due >= said_on));
  }
  return 0;
}

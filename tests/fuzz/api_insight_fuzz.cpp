// Transcripts: any bytes are words of somebody, and what is found lies inside what was said.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "api/insight/meeting_insights.hpp"
#include "core/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Each line of the input is an utterance, "SPEAKER:TEXT".
  std::vector<qylon::api::SpokenLine> lines;
  std::string rest(reinterpret_cast<const char*>(data), size);
  rest += '\n';
  for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
    const std::string line = rest.substr(0, end);
    const std::size_t colon = line.find(':');
    const auto offset = static_cast<std::int64_t>(lines.size()) + 1;
    const bool named = colon != std::string::npos;
    lines.push_back({offset,
                     offset * 1000,
                     offset * 1000 + 500,
                     named ? line.substr(0, colon) : "",
                     named ? line.substr(colon + 1) : line});
    rest.erase(0, end + 1);
  }
  const auto insights = qylon::api::read_insights(lines, std::chrono::year(2026) / 3 / 4);
  QYLON_CHECK(std::abs(insights.sentiment) <= 1);
  QYLON_CHECK(insights.summary.size() <= qylon::api::kSummaryMax);
  for (const auto& item : insights.action_items) {
    QYLON_CHECK(item.line < lines.size());
    QYLON_CHECK(!item.text.empty() && item.text.size() <= lines[item.line].text.size());
    QYLON_CHECK(!item.due || item.due->ok());
  }
  return 0;
}

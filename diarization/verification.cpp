#include "diarization/verification.hpp"

#include <algorithm>
#include <cmath>

#include "diarization/interval_lines.hpp"

namespace qylon::diarization {

Result<std::vector<Trial>> parse_trials(std::string_view text) {
  std::vector<Trial> trials;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::vector<std::string_view> fields = line_fields(take_line(text));
    if (fields.empty()) continue;
    if (fields.size() != 3 || (fields[0] != "0" && fields[0] != "1")) {
      return line_error(line, "a trial is 1 (same voice) or 0, a segment and a segment");
    }
    trials.push_back({fields[0] == "1", std::string(fields[1]), std::string(fields[2])});
  }
  return trials;
}

Result<double> equal_error_percent(std::span<const TrialScore> scores) {
  std::vector<TrialScore> sorted(scores.begin(), scores.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const TrialScore& a, const TrialScore& b) {
    return a.score > b.score;
  });
  const auto same = static_cast<double>(
      std::count_if(sorted.begin(), sorted.end(), [](const TrialScore& s) { return s.same; }));
  const double different = static_cast<double>(sorted.size()) - same;
  if (same == 0 || different == 0) {
    return Error{ErrorCode::kInvalidArgument, "an error rate needs trials of both kinds"};
  }
  double refused = same;
  double accepted = 0;
  double nearest = 2;
  double rate = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    (sorted[i].same ? refused : accepted) += sorted[i].same ? -1 : 1;
    // A threshold lies between two scores, not inside equal ones.
    if (i + 1 < sorted.size() && sorted[i + 1].score == sorted[i].score) continue;
    const double gap = std::abs(accepted / different - refused / same);
    if (gap >= nearest) continue;
    nearest = gap;
    rate = (accepted / different + refused / same) / 2;
  }
  return 100 * rate;
}

}  // namespace qylon::diarization

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace qylon::diarization {

/// Two segments, and whether they are of the same voice; a line `1|0 segment segment`.
struct Trial {
  bool same = false;
  std::string first;
  std::string second;
};

/// Errors: kInvalidArgument naming the line.
Result<std::vector<Trial>> parse_trials(std::string_view text);

struct TrialScore {
  float score = 0;  ///< Higher: more alike.
  bool same = false;
};

/// Equal error rate in percent: the threshold at which as large a share of different voices is
/// accepted as of same voices is refused, or the mean of both shares where they are nearest.
/// Errors: kInvalidArgument without trials of both kinds.
Result<double> equal_error_percent(std::span<const TrialScore> scores);

}  // namespace qylon::diarization

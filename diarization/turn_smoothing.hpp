#pragma once

#include <vector>

#include "diarization/rttm.hpp"

namespace qylon::diarization {

/// Turns as people mark them, from turns as a speech detector sees them. A detector begins when it
/// is sure and ends at the first quiet block; a listener, and a reference, hears the ramps on both
/// sides and counts a breath inside a turn as part of it.
struct TurnSmoothing {
  double ramp_s = 0.1;   ///< Added at both ends of every turn. >= 0
  double pause_s = 0.5;  ///< Shorter pauses between turns of one speaker are filled. >= 0
};

/// Input  : turns of one recording, sorted by start.
/// Output : sorted by start; where two speakers would run into each other for the ramps' sake
/// alone,
///          they meet in the middle.
std::vector<Turn> smooth_turns(std::vector<Turn> turns, const TurnSmoothing& options = {});

}  // namespace qylon::diarization

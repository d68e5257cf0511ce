#include "diarization/turn_smoothing.hpp"

#include <algorithm>
#include <utility>

namespace qylon::diarization {
namespace {

constexpr double kRoundingS = 1e-6;  // Below a sample.

}  // namespace

std::vector<Turn> smooth_turns(std::vector<Turn> turns, const TurnSmoothing& options) {
  std::vector<Turn> smooth;
  for (Turn& turn : turns) {
    turn.start_s = std::max(0.0, turn.start_s - options.ramp_s);
    turn.end_s += options.ramp_s;
    if (!smooth.empty()) {
      Turn& last = smooth.back();
      if (last.speaker == turn.speaker && turn.start_s - last.end_s < options.pause_s) {
        last.end_s = std::max(last.end_s, turn.end_s);
        continue;
      }
      const double overlap_s = last.end_s - turn.start_s;
      if (overlap_s > 0 && overlap_s <= 2 * options.ramp_s + kRoundingS) {
        turn.start_s += overlap_s / 2;
        last.end_s = turn.start_s;
      }
    }
    smooth.push_back(std::move(turn));
  }
  return smooth;
}

}  // namespace qylon::diarization

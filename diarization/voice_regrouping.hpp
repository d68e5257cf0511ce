#pragma once

#include <span>
#include <vector>

#include "diarization/voice_history.hpp"
#include "diarization/voice_set.hpp"

namespace qylon::diarization {

/// Who spoke which window, found anew from all that is kept.
struct VoiceGroups {
  std::vector<int>
      of_voice;  ///< For each voice of the set its group; -1: it has nothing forgotten.
  std::vector<int> of_window;  ///< From history.first() on; -1 withheld.
  int count = 0;
  float gain = 0;  ///< Log odds of these groups against whose the windows are now.
};

/// Cuts the history into stretches of at most 2 s of one voice, partitions them and what is
/// forgotten of each voice, and gives groups lighter than `lightest` windows to the nearest. Of the
/// last windows those that have no voice and would be such a group stay without.
VoiceGroups regrouped(const VoiceHistory& history,
                      const VoiceSet& voices,
                      float lightest,
                      int groups_max);

struct TurnTaking {
  float stay = 0.85F;
  float stay_s = 3.0F;
  float keep = 3.0F;  ///< Log odds by which another voice must be likelier than the one shown.
};

/// Looks for the changes of voice in the last 50 s of every track again, the voices being known,
/// and gives the windows their likeliest sequence (Viterbi). `shown`: the voice each window has
/// been shown with, from history.first() on, -1 none. Withheld ones stay withheld.
void smooth_changes(VoiceHistory& history,
                    const VoiceSet& voices,
                    std::span<const int> shown,
                    const TurnTaking& options);

}  // namespace qylon::diarization

#pragma once

#include <span>
#include <string>
#include <vector>

#include "diarization/speaker_overlap.hpp"

namespace qylon::diarization {

/// Jaccard error rate: every reference speaker counts the same, however little he said.
struct Jer {
  double error_sum = 0;  ///< Of each speaker: 1 - time in common / time of either.
  int speakers = 0;      ///< Of the reference.

  double percent() const noexcept;  ///< 0 without speakers.
  Jer& operator+=(const Jer& other) noexcept;
};

struct RecordingJer {
  std::string recording;
  Jer jer;
};

/// Scores each recording of the reference with the one-to-one mapping of speakers that has the
/// least sum of errors; a speaker that gets no partner has error 1. Overlap is scored, there is no
/// collar. Regions as for score_der().
///
/// Source : N. Ryant et al., "The Second DIHARD Diarization Challenge: Dataset, task, and
///          baselines", Interspeech 2019, section 4.2 (dscore).
std::vector<RecordingJer> score_jer(std::span<const Turn> reference,
                                    std::span<const Turn> hypothesis,
                                    std::span<const ScoredRegion> scored);

/// "JER 31.20 speakers 16": the mean over all speakers of all recordings, in percent.
std::string format_jer(const Jer& jer);

}  // namespace qylon::diarization

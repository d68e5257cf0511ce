#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diarization/rttm.hpp"

namespace qylon::diarization {

/// What counts of a recording when two sides of who spoke when are compared.
struct OverlapOptions {
  double collar_s = 0.0;      ///< Left out on either side of every reference boundary.
  bool skip_overlap = false;  ///< Leave out where the reference has two or more speakers.
};

/// How long the speakers of a reference and of a hypothesis spoke in one recording, alone and
/// together, on exact intervals; overlapping turns of one speaker count once.
struct SpeakerOverlap {
  std::vector<double> reference_s;   ///< By reference speaker, in the order of their names.
  std::vector<double> hypothesis_s;  ///< By hypothesis speaker, likewise.
  std::vector<double> together_s;    ///< float64[reference, hypothesis] row-major.
  double miss_s = 0;                 ///< Speaker time beyond what the hypothesis has.
  double false_alarm_s = 0;          ///< Speaker time beyond what the reference has.
  double attributed_s = 0;           ///< Speaker time with somebody on both sides, right or wrong.
};

/// Turns and regions of other recordings are ignored; a recording without a region is compared from
/// 0 to its last boundary.
///
/// Cost   : O(n log n) in boundaries, times the speakers that talk at once.
/// Source : NIST Rich Transcription 2009 evaluation plan, section 6 (md-eval-22.pl).
SpeakerOverlap measure_overlap(std::string_view recording,
                               std::span<const Turn> reference,
                               std::span<const Turn> hypothesis,
                               std::span<const ScoredRegion> scored,
                               const OverlapOptions& options);

/// Names of the recordings that `turns` are of, sorted, each once.
std::vector<std::string> recordings_of(std::span<const Turn> turns);

}  // namespace qylon::diarization

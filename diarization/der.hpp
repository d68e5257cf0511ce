#pragma once

#include <span>
#include <string>
#include <vector>

#include "diarization/speaker_overlap.hpp"

namespace qylon::diarization {

/// Diarization error in seconds of speaker time; a rate is (miss + false alarm + confusion) over
/// speech. Sums over recordings are sums of seconds.
struct Der {
  double speech_s = 0;
  double miss_s = 0;
  double false_alarm_s = 0;
  double confusion_s = 0;
  int reference_speakers = 0;
  int hypothesis_speakers = 0;

  /// Error rate in percent; 0 without reference speech and without false alarm, else infinite.
  double percent() const noexcept;
  Der& operator+=(const Der& other) noexcept;
};

struct RecordingDer {
  std::string recording;
  Der der;
};

/// Scores each recording of the reference on exact intervals, with the one-to-one mapping of
/// speakers that leaves least confusion. Hypothesis turns of other recordings are ignored; a
/// recording without a UEM region is scored from 0 to its last boundary.
///
/// Source : NIST Rich Transcription 2009 evaluation plan, section 6 (md-eval-22.pl).
std::vector<RecordingDer> score_der(std::span<const Turn> reference,
                                    std::span<const Turn> hypothesis,
                                    std::span<const ScoredRegion> scored,
                                    const OverlapOptions& options);
/// Sum over recordings.
Der total_der(std::span<const RecordingDer> recordings);

/// "DER 24.14 miss 17.25 fa 3.10 conf 3.78", in percent of reference speech.
std::string format_der(const Der& der);

}  // namespace qylon::diarization

#include "diarization/der.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <numeric>
#include <utility>

#include "diarization/optimal_mapping.hpp"

namespace qylon::diarization {
namespace {

/// With a one-to-one mapping, the correct time is the sum of the time that mapped pairs have in
/// common.
Der der_of(const SpeakerOverlap& overlap) {
  Der der;
  der.reference_speakers = static_cast<int>(overlap.reference_s.size());
  der.hypothesis_speakers = static_cast<int>(overlap.hypothesis_s.size());
  der.speech_s = std::accumulate(overlap.reference_s.begin(), overlap.reference_s.end(), 0.0);
  der.miss_s = overlap.miss_s;
  der.false_alarm_s = overlap.false_alarm_s;
  const std::vector<int> mapping =
      optimal_mapping(overlap.together_s, der.reference_speakers, der.hypothesis_speakers);
  double correct_s = 0;
  for (std::size_t i = 0; i < mapping.size(); ++i) {
    if (mapping[i] < 0) continue;
    correct_s +=
        overlap.together_s[i * overlap.hypothesis_s.size() + static_cast<std::size_t>(mapping[i])];
  }
  der.confusion_s = std::max(0.0, overlap.attributed_s - correct_s);
  return der;
}

double percent_of(double part, double whole) {
  if (whole > 0) return 100.0 * part / whole;
  return part > 0 ? std::numeric_limits<double>::infinity() : 0.0;
}

}  // namespace

double Der::percent() const noexcept {
  return percent_of(miss_s + false_alarm_s + confusion_s, speech_s);
}

Der& Der::operator+=(const Der& other) noexcept {
  speech_s += other.speech_s;
  miss_s += other.miss_s;
  false_alarm_s += other.false_alarm_s;
  confusion_s += other.confusion_s;
  reference_speakers += other.reference_speakers;
  hypothesis_speakers += other.hypothesis_speakers;
  return *this;
}

std::vector<RecordingDer> score_der(std::span<const Turn> reference,
                                    std::span<const Turn> hypothesis,
                                    std::span<const ScoredRegion> scored,
                                    const OverlapOptions& options) {
  std::vector<RecordingDer> out;
  for (std::string& recording : recordings_of(reference)) {
    const Der der = der_of(measure_overlap(recording, reference, hypothesis, scored, options));
    out.push_back({std::move(recording), der});
  }
  return out;
}

Der total_der(std::span<const RecordingDer> recordings) {
  Der total;
  for (const RecordingDer& recording : recordings)
    total += recording.der;
  return total;
}

std::string format_der(const Der& der) {
  char text[160];
  std::snprintf(text,
                sizeof text,
                "DER %.2f miss %.2f fa %.2f conf %.2f",
                der.percent(),
                percent_of(der.miss_s, der.speech_s),
                percent_of(der.false_alarm_s, der.speech_s),
                percent_of(der.confusion_s, der.speech_s));
  return text;
}

}  // namespace qylon::diarization

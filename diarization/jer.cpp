#include "diarization/jer.hpp"

#include <cstdio>
#include <utility>

#include "diarization/optimal_mapping.hpp"

namespace qylon::diarization {
namespace {

Jer jer_of(const SpeakerOverlap& overlap) {
  const std::size_t columns = overlap.hypothesis_s.size();
  std::vector<double> jaccard(overlap.together_s.size());
  for (std::size_t i = 0; i < jaccard.size(); ++i) {
    const double both_s = overlap.together_s[i];
    const double either_s =
        overlap.reference_s[i / columns] + overlap.hypothesis_s[i % columns] - both_s;
    if (both_s > 0) jaccard[i] = both_s / either_s;
  }
  Jer jer;
  const std::vector<int> mapping = optimal_mapping(
      jaccard, static_cast<int>(overlap.reference_s.size()), static_cast<int>(columns));
  for (std::size_t i = 0; i < mapping.size(); ++i) {
    if (overlap.reference_s[i] <= 0) continue;  // Spoke outside the scored regions only.
    ++jer.speakers;
    const double index =
        mapping[i] < 0 ? 0.0 : jaccard[i * columns + static_cast<std::size_t>(mapping[i])];
    jer.error_sum += 1.0 - index;
  }
  return jer;
}

}  // namespace

double Jer::percent() const noexcept {
  return speakers > 0 ? 100.0 * error_sum / speakers : 0.0;
}

Jer& Jer::operator+=(const Jer& other) noexcept {
  error_sum += other.error_sum;
  speakers += other.speakers;
  return *this;
}

std::vector<RecordingJer> score_jer(std::span<const Turn> reference,
                                    std::span<const Turn> hypothesis,
                                    std::span<const ScoredRegion> scored) {
  std::vector<RecordingJer> out;
  for (std::string& recording : recordings_of(reference)) {
    const Jer jer = jer_of(measure_overlap(recording, reference, hypothesis, scored, {}));
    out.push_back({std::move(recording), jer});
  }
  return out;
}

std::string format_jer(const Jer& jer) {
  char text[80];
  std::snprintf(text, sizeof text, "JER %.2f speakers %d", jer.percent(), jer.speakers);
  return text;
}

}  // namespace qylon::diarization

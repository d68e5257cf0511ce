#include "diarization/cohort_score.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "core/check.hpp"
#include "dsp/kernels.hpp"

namespace qylon::diarization {
namespace {

constexpr std::size_t kNearest = 50;
constexpr float kDeviationMin = 1e-4F;

}  // namespace

CohortLikeness cohort_likeness(const EmbeddingModel& model, std::span<const float> voice) {
  const std::span<const float> cohort = model.cohort();
  QYLON_CHECK(static_cast<int>(voice.size()) == model.size());
  std::vector<float> cosines;
  for (std::size_t at = 0; at < cohort.size(); at += voice.size())
    cosines.push_back(dsp::kernels().dot(cohort.data() + at, voice.data(), voice.size()));
  const std::size_t count = std::min(kNearest, cosines.size());
  const auto end = cosines.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(cosines.begin(), end - 1, cosines.end(), std::greater<>());
  const float mean = std::accumulate(cosines.begin(), end, 0.0F) / static_cast<float>(count);
  const float square = std::accumulate(cosines.begin(), end, 0.0F, [&](float sum, float cosine) {
    return sum + (cosine - mean) * (cosine - mean);
  });
  return {mean, std::max(kDeviationMin, std::sqrt(square / static_cast<float>(count)))};
}

float normalised_score(float cosine, const CohortLikeness& one, const CohortLikeness& other) {
  return ((cosine - one.mean) / one.deviation + (cosine - other.mean) / other.deviation) / 2;
}

}  // namespace qylon::diarization

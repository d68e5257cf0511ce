#include "diarization/cohort_score.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::diarization {
namespace {

TEST(CohortScore, IsTheMeanOfTheScoresAgainstEithersOthers) {
  // ((0.5 - 0.2) / 0.1 + (0.5 - 0.3) / 0.05) / 2
  EXPECT_NEAR(normalised_score(0.5F, {0.2F, 0.1F}, {0.3F, 0.05F}), 3.5F, 1e-5F);
}

TEST(CohortScore, MeasuresLikenessByTheFiftyNearest) {
  const auto model = EmbeddingModel::load_default();
  ASSERT_TRUE(model);
  const auto size = static_cast<std::size_t>((*model)->size());
  const std::span<const float> cohort = (*model)->cohort();
  ASSERT_GT(cohort.size() / size, 50U);
  std::vector<float> voice(size);
  for (std::size_t i = 0; i < size; ++i)
    voice[i] = std::sin(0.7F * static_cast<float>(i)) / std::sqrt(static_cast<float>(size) / 2);
  std::vector<double> cosines;
  for (std::size_t at = 0; at < cohort.size(); at += size)
    cosines.push_back(std::inner_product(voice.begin(), voice.end(), cohort.data() + at, 0.0));
  std::sort(cosines.begin(), cosines.end(), std::greater<>());
  cosines.resize(50);
  const double mean = std::accumulate(cosines.begin(), cosines.end(), 0.0) / 50;
  double square = 0;
  for (const double cosine : cosines)
    square += (cosine - mean) * (cosine - mean);
  const CohortLikeness likeness = cohort_likeness(**model, voice);
  EXPECT_NEAR(likeness.mean, mean, 1e-5);
  EXPECT_NEAR(likeness.deviation, std::sqrt(square / 50), 1e-5);
}

}  // namespace
}  // namespace qylon::diarization

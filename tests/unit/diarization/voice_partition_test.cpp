#include "diarization/voice_partition.hpp"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/synthetic_voices.hpp"

namespace qylon::diarization {
namespace {

constexpr int kSize = 64;

/// Log density of values that are normal with variance `noise` around a voice that is normal with
/// variance `voice`, by the matrix determinant lemma and Sherman-Morrison, one dimension.
double log_density(const std::vector<double>& values, double voice, double noise) {
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  return -0.5 * (n * std::log(noise) + std::log1p(n * voice / noise) +
                 (squares - voice / (noise + n * voice) * sum * sum) / noise);
}

TEST(VoiceLikelihood, IsTheTwoCovarianceModelsLogOdds) {
  const VoiceLikelihood likelihood({.voice_share = 0.4F, .window_share = 1.0F, .dimensions = 1.0F});
  const std::vector<double> a = {0.3, 0.5, 0.1};
  const std::vector<double> b = {-0.2, 0.4};
  std::vector<double> both = a;
  both.insert(both.end(), b.begin(), b.end());
  const auto evidence = [&](const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values)
      sum += value;
    return likelihood.evidence(static_cast<float>(values.size()), static_cast<float>(sum * sum));
  };
  const double expected =
      log_density(both, 0.4, 0.6) - log_density(a, 0.4, 0.6) - log_density(b, 0.4, 0.6);
  EXPECT_NEAR(static_cast<double>(evidence(both) - evidence(a) - evidence(b)), expected, 1e-5);
}

TEST(VoiceLikelihood, KnowsAVoiceBetterTheLongerItIsHeard) {
  const VoiceLikelihood likelihood({.voice_share = 0.5F, .window_share = 1.0F, .dimensions = 1.0F});
  EXPECT_FLOAT_EQ(likelihood.known_share(0), 0.0F);
  EXPECT_FLOAT_EQ(likelihood.known_share(1), 0.5F);
  EXPECT_FLOAT_EQ(likelihood.known_share(3), 0.75F);
}

/// Sums of `windows` noisy windows of each voice in turn.
struct Meeting {
  explicit Meeting(const std::vector<int>& voices, int windows = 4) {
    SyntheticVoices synthetic(kSize, 3);
    std::array<std::vector<float>, 3> directions;
    for (auto& direction : directions)
      direction = synthetic.direction();
    for (const int voice : voices) {
      std::vector<float> sum(kSize);
      for (int i = 0; i < windows; ++i) {
        const std::vector<float> window =
            synthetic.near(directions[static_cast<std::size_t>(voice)], 0.67F);
        for (std::size_t k = 0; k < sum.size(); ++k)
          sum[k] += window[k];
      }
      sums.insert(sums.end(), sum.begin(), sum.end());
      counts.push_back(static_cast<float>(windows));
    }
  }
  VoiceStretches stretches() const { return {sums, counts, kSize}; }

  std::vector<float> sums;
  std::vector<float> counts;
};

TEST(VoicePartition, FindsHowManyVoicesThereAreAndWhich) {
  const std::vector<int> voices = {0, 1, 0, 2, 1, 2, 0, 0, 1, 2};
  const Meeting meeting(voices);
  EXPECT_EQ(voice_partition(meeting.stretches(), VoiceLikelihood({}), 24), voices);
}

TEST(VoicePartition, TakesOneVoiceForOne) {
  const Meeting meeting(std::vector<int>(20, 0));
  EXPECT_EQ(voice_partition(meeting.stretches(), VoiceLikelihood({}), 24), std::vector<int>(20, 0));
}

TEST(VoicePartition, KeepsWithinTheMostGroups) {
  const Meeting meeting({0, 1, 2, 0, 1, 2});
  const std::vector<int> groups = voice_partition(meeting.stretches(), VoiceLikelihood({}), 2);
  EXPECT_EQ(*std::max_element(groups.begin(), groups.end()), 1);
}

TEST(VoicePartition, IsEmptyForNothing) {
  EXPECT_TRUE(voice_partition({{}, {}, kSize}, VoiceLikelihood({}), 24).empty());
}

}  // namespace
}  // namespace qylon::diarization

#include <set>

#include <gtest/gtest.h>

#include "diarization/group_numbers.hpp"
#include "diarization/spectral_clustering.hpp"
#include "tests/support/synthetic_voices.hpp"

namespace qylon::diarization {
namespace {

constexpr int kSize = 96;

/// `each` points of every voice in turn; two points of a voice have cosine 0.5 or so.
std::vector<float> points_of(int voices, int each, unsigned seed) {
  SyntheticVoices synthetic(kSize, seed);
  std::vector<std::vector<float>> directions;
  for (int v = 0; v < voices; ++v)
    directions.push_back(synthetic.direction());
  std::vector<float> points;
  for (int i = 0; i < voices * each; ++i) {
    const std::vector<float> point =
        synthetic.near(directions[static_cast<std::size_t>(i % voices)], 0.7F);
    points.insert(points.end(), point.begin(), point.end());
  }
  return points;
}

std::vector<int> turns(int voices, int each) {
  std::vector<int> out(static_cast<std::size_t>(voices * each));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<int>(i % static_cast<std::size_t>(voices));
  }
  return out;
}

TEST(SpectralClustering, FindsHowManyVoicesThereAreAndWhich) {
  for (const int voices : {1, 2, 3, 5, 8}) {
    for (const int each : {20, 36}) {
      EXPECT_EQ(spectral_clusters(points_of(voices, each, 3), kSize, {}), turns(voices, each))
          << voices << " voices, " << each << " points each";
    }
  }
}

TEST(SpectralClustering, KeepsAVoiceThatSpokeLittle) {
  SyntheticVoices synthetic(kSize, 11);
  const std::vector<float> often = synthetic.direction();
  const std::vector<float> seldom = synthetic.direction();
  std::vector<float> points;
  std::vector<int> expected;
  for (int i = 0; i < 100; ++i) {
    const bool rare = i % 10 == 9;
    const std::vector<float> point = synthetic.near(rare ? seldom : often, 0.75F);
    points.insert(points.end(), point.begin(), point.end());
    expected.push_back(rare ? 1 : 0);
  }
  EXPECT_EQ(spectral_clusters(points, kSize, {}), expected);
}

TEST(SpectralClustering, TakesFewPointsAsOneVoice) {
  EXPECT_TRUE(spectral_clusters({}, kSize, {}).empty());
  EXPECT_EQ(spectral_clusters(points_of(2, 3, 3), kSize, {}), std::vector<int>(6, 0));
}

TEST(SpectralClustering, EndsWithEqualPoints) {
  std::vector<float> points;
  for (int i = 0; i < 40; ++i) {
    for (int k = 0; k < kSize; ++k)
      points.push_back(k == 0 ? 1.0F : 0.0F);
  }
  EXPECT_EQ(spectral_clusters(points, kSize, {}), std::vector<int>(40, 0));
}

TEST(GroupNumbers, FollowTheFirstAppearance) {
  EXPECT_EQ(renumbered({7, -1, 7, 3, -1}), (std::vector<int>{0, 1, 0, 2, 1}));
}

}  // namespace
}  // namespace qylon::diarization

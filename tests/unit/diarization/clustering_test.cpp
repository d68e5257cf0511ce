#include <set>

#include <gtest/gtest.h>

#include "diarization/linkage_clustering.hpp"
#include "diarization/spectral_clustering.hpp"
#include "diarization/voice_points.hpp"
#include "tests/unit/diarization/synthetic_voices.hpp"

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

TEST(LinkageClustering, SeparatesVoicesFromTheFirstWindowsOn) {
  const std::vector<float> weights(24, 1.0F);
  EXPECT_EQ(linkage_clusters(points_of(2, 12, 5), kSize, weights, {}), turns(2, 12));
}

TEST(LinkageClustering, GivesALightGroupToTheNearest) {
  SyntheticVoices synthetic(kSize, 2);
  const std::vector<float> voice = synthetic.direction();
  std::vector<float> points;
  for (int i = 0; i < 10; ++i) {
    const std::vector<float> point = i == 4 ? synthetic.direction() : synthetic.near(voice, 0.8F);
    points.insert(points.end(), point.begin(), point.end());
  }
  const std::vector<float> weights(10, 1.0F);
  EXPECT_EQ(linkage_clusters(points, kSize, weights, {}), std::vector<int>(10, 0));
}

TEST(VoicePoints, StayWithinTheirCapacityAndKeepWhoWasWho) {
  SyntheticVoices synthetic(kSize, 4);
  const std::vector<std::vector<float>> directions = {synthetic.direction(), synthetic.direction()};
  VoicePoints points(kSize, 30);
  for (int i = 0; i < 500; ++i) {
    const int voice = i % 2;
    const auto evidence =
        points.add(synthetic.near(directions[static_cast<std::size_t>(voice)], 0.7F), 1.0F, voice);
    ASSERT_EQ(evidence, i);
    ASSERT_LE(points.count(), 30);
  }
  for (std::int64_t evidence = 0; evidence < 500; ++evidence) {
    EXPECT_EQ(points.voice_of(evidence), evidence % 2);
  }
  std::vector<float> sum(kSize);
  EXPECT_FLOAT_EQ(points.sum_of(0, sum), 250.0F);
}

TEST(VoicePoints, DoNotAnswerForEvidenceOfLongAgoOrNever) {
  VoicePoints points(2, 8);
  const std::vector<float> vector = {1.0F, 0.0F};
  for (std::int64_t i = 0; i < VoicePoints::kEvidenceKept + 10; ++i)
    points.add(vector, 1.0F, 3);
  EXPECT_EQ(points.voice_of(9), -1);
  EXPECT_EQ(points.voice_of(10), 3);
  EXPECT_EQ(points.voice_of(-1), -1);
  EXPECT_EQ(points.voice_of(VoicePoints::kEvidenceKept + 10), -1);
}

TEST(VoicePoints, MakeRoomEvenWhenEveryWindowIsAnotherVoice) {
  SyntheticVoices synthetic(kSize, 8);
  VoicePoints points(kSize, 12);
  for (int i = 0; i < 100; ++i)
    points.add(synthetic.direction(), 1.0F, i);
  EXPECT_LE(points.count(), 12);
  EXPECT_EQ(points.voice_of(99), 99);
}

}  // namespace
}  // namespace qylon::diarization

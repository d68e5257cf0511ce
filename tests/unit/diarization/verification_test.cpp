#include "diarization/verification.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "diarization/voice_print.hpp"
#include "tests/support/synthetic_voices.hpp"

namespace qylon::diarization {
namespace {

TEST(Verification, ErrsEquallyWhereBothSharesMeet) {
  // Threshold between 0.6 and 0.5: one of four same refused, one of four different accepted.
  const std::vector<TrialScore> scores{{0.9F, true},
                                       {0.8F, true},
                                       {0.7F, true},
                                       {0.6F, false},
                                       {0.5F, true},
                                       {0.4F, false},
                                       {0.3F, false},
                                       {0.2F, false}};
  const auto percent = equal_error_percent(scores);
  ASSERT_TRUE(percent);
  EXPECT_DOUBLE_EQ(*percent, 25);
}

TEST(Verification, IsZeroWhenScoresSeparateAndHalfWhenTheyAreAllTheSame) {
  EXPECT_DOUBLE_EQ(*equal_error_percent(std::vector<TrialScore>{{1, true}, {0, false}, {0, false}}),
                   0);
  EXPECT_DOUBLE_EQ(*equal_error_percent(std::vector<TrialScore>{{1, true}, {1, false}}), 50);
}

TEST(Verification, NeedsTrialsOfBothKinds) {
  EXPECT_FALSE(equal_error_percent(std::vector<TrialScore>{{1, true}}));
}

TEST(Verification, ReadsTrials) {
  const auto trials = parse_trials("1 a b\n\n0 a c\r\n");
  ASSERT_TRUE(trials);
  ASSERT_EQ(trials->size(), 2U);
  EXPECT_TRUE((*trials)[0].same);
  EXPECT_EQ((*trials)[1].second, "c");
}

TEST(Verification, SaysWhichTrialIsWrong) {
  for (const char* text : {"1 a b\n2 a b", "1 a b\n1 a", "1 a b\n0 a b c"}) {
    const auto trials = parse_trials(text);
    ASSERT_FALSE(trials) << text;
    EXPECT_TRUE(trials.error().message.starts_with("line 2: "));
  }
}

float likeness(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
}

TEST(VoicePrint, IsAlikeForOneVoiceOnly) {
  const auto model = EmbeddingModel::load_default();
  ASSERT_TRUE(model);
  const auto low = voice_print(*model, synthetic_voice(3, 110, 1.0));
  const auto same = voice_print(*model, synthetic_voice(4, 112, 1.0));
  const auto other = voice_print(*model, synthetic_voice(3, 210, 1.18));
  ASSERT_TRUE(low && same && other);
  EXPECT_NEAR(likeness(*low, *low), 1, 1e-5);
  EXPECT_GT(likeness(*low, *same), likeness(*low, *other) + 0.2F);
}

TEST(VoicePrint, NeedsHalfASecond) {
  const auto model = EmbeddingModel::load_default();
  ASSERT_TRUE(model);
  EXPECT_FALSE(voice_print(*model, std::vector<float>(7'999)));
  EXPECT_TRUE(voice_print(*model, std::vector<float>(8'000)));
}

}  // namespace
}  // namespace qylon::diarization

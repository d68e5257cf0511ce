#include "diarization/voice_regrouping.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::diarization {
namespace {

constexpr int kSize = 8;
constexpr int kRun = 10;  // Windows of either voice.

/// Ten windows along the first axis, one between, ten along the second; the one between was moved
/// to voice 1.
class SmoothChanges : public ::testing::Test {
 protected:
  void hear(float first, float second, int voice) {
    std::vector<float> vector(kSize);
    const float norm = std::sqrt(first * first + second * second);
    vector[0] = first / norm;
    vector[1] = second / norm;
    history_.set_voice(history_.add(vector, {}), voice);
    shown_.push_back(voice);
  }

  /// Whose the window between the voices is when `voice` was shown for it.
  int after_showing(float first, float second, int voice) {
    for (int i = 0; i < kRun; ++i)
      hear(1, 0, 0);
    hear(first, second, 1);
    shown_.back() = voice;
    for (int i = 0; i < kRun; ++i)
      hear(0, 1, 1);
    voices_.collect(history_, {});
    smooth_changes(history_, voices_, shown_, {});
    return history_.voice_of(kRun);
  }

  VoiceHistory history_{kSize, 64};
  VoiceSet voices_{kSize, {}};
  std::vector<int> shown_;
};

TEST_F(SmoothChanges, KeepWhatWasShownWhenItIsAsLikely) {
  EXPECT_EQ(after_showing(1, 1, 0), 0);
}

TEST_F(SmoothChanges, FollowTheEvidenceWhenNothingWasShown) {
  EXPECT_EQ(after_showing(1, 1.5F, -1), 1);
}

TEST_F(SmoothChanges, CorrectWhatIsFarLikelierOtherwise) {
  EXPECT_EQ(after_showing(0, 1, 0), 1);
}

}  // namespace
}  // namespace qylon::diarization

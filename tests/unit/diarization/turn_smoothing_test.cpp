#include "diarization/turn_smoothing.hpp"

#include <gtest/gtest.h>

namespace qylon::diarization {
namespace {

constexpr TurnSmoothing kOptions{.ramp_s = 0.1, .pause_s = 0.5};

TEST(TurnSmoothing, AddsTheRampsOfALoneTurn) {
  const auto smooth = smooth_turns({{"m", "ann", 1.0, 2.0}}, kOptions);
  ASSERT_EQ(smooth.size(), 1U);
  EXPECT_DOUBLE_EQ(smooth[0].start_s, 0.9);
  EXPECT_DOUBLE_EQ(smooth[0].end_s, 2.1);
}

TEST(TurnSmoothing, NeverBeginsBeforeTheRecording) {
  EXPECT_EQ(smooth_turns({{"m", "ann", 0.04, 2.0}}, kOptions)[0].start_s, 0.0);
}

TEST(TurnSmoothing, FillsABreathOfOneSpeaker) {
  const auto smooth = smooth_turns({{"m", "ann", 1.0, 2.0}, {"m", "ann", 2.6, 3.0}}, kOptions);
  ASSERT_EQ(smooth.size(), 1U);
  EXPECT_DOUBLE_EQ(smooth[0].end_s, 3.1);
}

TEST(TurnSmoothing, KeepsALongPauseOfOneSpeaker) {
  EXPECT_EQ(smooth_turns({{"m", "ann", 1.0, 2.0}, {"m", "ann", 2.8, 3.0}}, kOptions).size(), 2U);
}

TEST(TurnSmoothing, LeavesAChangeOfSpeakerWhereItWas) {
  const auto smooth = smooth_turns({{"m", "ann", 1.0, 2.0}, {"m", "bob", 2.0, 3.0}}, kOptions);
  ASSERT_EQ(smooth.size(), 2U);
  EXPECT_DOUBLE_EQ(smooth[0].end_s, 2.0);
  EXPECT_DOUBLE_EQ(smooth[1].start_s, 2.0);
}

TEST(TurnSmoothing, KeepsTwoVoicesAtOnce) {
  const auto smooth = smooth_turns({{"m", "ann", 1.0, 3.0}, {"m", "bob", 2.0, 4.0}}, kOptions);
  EXPECT_DOUBLE_EQ(smooth[0].end_s, 3.1);
  EXPECT_DOUBLE_EQ(smooth[1].start_s, 1.9);
}

}  // namespace
}  // namespace qylon::diarization

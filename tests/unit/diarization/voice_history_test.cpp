#include "diarization/voice_history.hpp"

#include <array>

#include <gtest/gtest.h>

namespace qylon::diarization {
namespace {

TEST(VoiceHistory, KeepsTheLastWindowsAndTheVoicesOfMore) {
  VoiceHistory history(2, 4);
  for (std::int64_t i = 0; i < 10; ++i) {
    const std::array<float, 2> vector = {static_cast<float>(i), 1.0F};
    EXPECT_EQ(history.full(), i >= 4);
    ASSERT_EQ(history.add(vector, {.track = static_cast<int>(i)}), i);
    EXPECT_EQ(history.voice_of(i), -1);
    history.set_voice(i, static_cast<int>(i % 3));
  }
  EXPECT_EQ(history.first(), 6);
  EXPECT_EQ(history.vector(6)[0], 6.0F);
  EXPECT_EQ(history.window(9).track, 9);
  EXPECT_EQ(history.voice_of(2), 2);
}

TEST(VoiceHistory, RenamesOnlyWhatIsForgottenAndAllAtOnce) {
  VoiceHistory history(1, 2);
  for (std::int64_t i = 0; i < 5; ++i)
    history.set_voice(history.add(std::array{1.0F}, {}), static_cast<int>(i % 2));
  history.rename_forgotten(std::array{0, 1}, std::array{1, 0});
  for (std::int64_t i = 0; i < 5; ++i)
    EXPECT_EQ(history.voice_of(i), i < 3 ? 1 - i % 2 : i % 2) << i;
}

TEST(VoiceHistory, DoesNotAnswerForLongAgoOrNever) {
  VoiceHistory history(1, 2);
  for (std::int64_t i = 0; i < VoiceHistory::kEvidenceKept + 10; ++i)
    history.set_voice(history.add(std::array{1.0F}, {}), 3);
  EXPECT_EQ(history.voice_of(9), -1);
  EXPECT_EQ(history.voice_of(10), 3);
  EXPECT_EQ(history.voice_of(-1), -1);
  EXPECT_EQ(history.voice_of(VoiceHistory::kEvidenceKept + 10), -1);
}

}  // namespace
}  // namespace qylon::diarization

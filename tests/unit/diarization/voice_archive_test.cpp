#include "diarization/voice_archive.hpp"

#include <gtest/gtest.h>

#include "tests/support/synthetic_voices.hpp"

namespace qylon::diarization {
namespace {

constexpr int kSize = 64;

/// Two voices that take turns.
struct Meeting {
  explicit Meeting(int windows, int turn = 5) : archive(kSize) {
    SyntheticVoices voices(kSize, 7);
    const std::vector<std::vector<float>> directions{voices.direction(), voices.direction()};
    for (int i = 0; i < windows; ++i) {
      truth.push_back(i / turn % 2);
      archive.add(voices.near(directions[static_cast<std::size_t>(truth.back())], 0.7F), 1.0F);
    }
  }
  VoiceArchive archive;
  std::vector<int> truth;
};

TEST(VoiceArchive, PutsWindowsRightThatWereNobodysOrAnotherVoices) {
  const Meeting meeting(100);
  std::vector<int> until_now = meeting.truth;
  for (std::size_t i = 0; i < 20; ++i)
    until_now[i] = 0;  // Before the second voice was known.
  until_now[50] = until_now[51] = -1;
  EXPECT_EQ(meeting.archive.group(until_now), meeting.truth);
}

TEST(VoiceArchive, FindsTheVoicesWhenNobodyKnewThem) {
  const Meeting meeting(480, 16);
  EXPECT_EQ(meeting.archive.group(std::vector<int>(480, 0)), meeting.truth);
}

TEST(VoiceArchive, GivesAVoiceWithHardlyAnySpeechToTheNearest) {
  const Meeting meeting(60);
  std::vector<int> until_now = meeting.truth;
  until_now[0] = until_now[1] = 2;
  EXPECT_EQ(meeting.archive.group(until_now), meeting.truth);
}

TEST(VoiceArchive, KeepsAllOfALongMeetingAtHalfTheResolution) {
  // Two windows a slot: a slot on a change of voice is either's.
  const int windows = static_cast<int>(VoiceArchive::kSlotsMax) + 100;
  const Meeting meeting(windows);
  const std::vector<int> groups = meeting.archive.group(meeting.truth);
  ASSERT_EQ(groups.size(), meeting.truth.size());
  int wrong = 0;
  for (std::size_t i = 0; i < groups.size(); ++i)
    wrong += groups[i] == meeting.truth[i] ? 0 : 1;
  EXPECT_LE(wrong, windows / 10 + 1);
}

TEST(VoiceArchive, OfAMeetingWithoutSpeechIsEmpty) {
  EXPECT_TRUE(VoiceArchive(kSize).group({}).empty());
}

}  // namespace
}  // namespace qylon::diarization

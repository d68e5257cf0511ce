#include "realtime/meeting_rings.hpp"

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

const MeetingId kMeeting = MeetingId::random();
const Epoch kEpoch = Epoch::random();

Delivery final_at(std::uint64_t offset, const std::string& text = "x") {
  return {kMeeting, kEpoch, Topic::kCaptions, make_text_frame(text), offset, 0, 0};
}

TEST(MeetingRings, AnswersFromTheAskedOffsetOn) {
  MeetingRings rings({10, 1000, 4});
  for (std::uint64_t offset = 1; offset <= 5; ++offset)
    rings.add(final_at(offset));
  const auto slice = rings.read(kMeeting, 2, 2);
  EXPECT_EQ(slice.first, 1U);
  EXPECT_EQ(slice.last, 5U);
  ASSERT_EQ(slice.finals.size(), 2U);
  EXPECT_EQ(slice.finals[0].first, 3U);
  EXPECT_EQ(slice.finals[1].first, 4U);
}

TEST(MeetingRings, AnswersNothingWhenItDoesNotReachBackThatFar) {
  MeetingRings rings({3, 1000, 4});
  for (std::uint64_t offset = 1; offset <= 5; ++offset)
    rings.add(final_at(offset));
  EXPECT_TRUE(rings.read(kMeeting, 1, 10).finals.empty());
  EXPECT_EQ(rings.read(kMeeting, 2, 10).finals.size(), 3U);
  EXPECT_TRUE(rings.read(kMeeting, 5, 10).finals.empty());
}

TEST(MeetingRings, BytesAreBoundedButTheNewestStays) {
  MeetingRings rings({10, 100, 4});
  for (std::uint64_t offset = 1; offset <= 5; ++offset)
    rings.add(final_at(offset, std::string(48, 'x')));  // 50 bytes as a frame.
  EXPECT_EQ(rings.read(kMeeting, 0, 10).first, 4U);
  rings.add(final_at(6, std::string(500, 'x')));
  EXPECT_EQ(rings.read(kMeeting, 0, 10).first, 6U);
}

TEST(MeetingRings, AHoleOrANewNumberingStartsTheRingAnew) {
  MeetingRings rings({10, 1000, 4});
  rings.add(final_at(1));
  rings.add(final_at(3));
  EXPECT_EQ(rings.read(kMeeting, 0, 10).first, 3U);
  rings.add({kMeeting, Epoch::random(), Topic::kCaptions, make_text_frame("x"), 1, 0, 0});
  const auto slice = rings.read(kMeeting, 0, 10);
  EXPECT_EQ(slice.last, 1U);
  EXPECT_NE(slice.epoch, kEpoch);
}

TEST(MeetingRings, AKnownFinalIsNotStoredTwice) {
  MeetingRings rings({10, 1000, 4});
  rings.add(final_at(1));
  rings.add(final_at(1));
  EXPECT_EQ(rings.read(kMeeting, 0, 10).finals.size(), 1U);
}

TEST(MeetingRings, TheMeetingSilentLongestMakesRoom) {
  MeetingRings rings({10, 1000, 2});
  const MeetingId other = MeetingId::random();
  rings.add({other, kEpoch, Topic::kCaptions, make_text_frame("x"), 1, 0, 0});
  rings.add(final_at(1));
  rings.add({other, kEpoch, Topic::kCaptions, make_text_frame("x"), 2, 0, 0});
  rings.add({MeetingId::random(), kEpoch, Topic::kCaptions, make_text_frame("x"), 1, 0, 0});
  EXPECT_EQ(rings.meetings(), 2U);
  EXPECT_FALSE(rings.read(kMeeting, 0, 10).known);
  EXPECT_TRUE(rings.read(other, 0, 10).known);
}

TEST(MeetingRings, InterimsTakeNoRoom) {
  MeetingRings rings({10, 1000, 2});
  rings.add({kMeeting, kEpoch, Topic::kCaptions, make_text_frame("x"), std::nullopt, 1, 0});
  EXPECT_FALSE(rings.read(kMeeting, 0, 10).known);
  rings.add({kMeeting, kEpoch, Topic::kStatus, make_text_frame("s"), std::nullopt, 1, 0});
  EXPECT_NE(rings.read(kMeeting, 0, 10).status, nullptr);
  rings.retire(kMeeting);
  EXPECT_EQ(rings.meetings(), 0U);
}

}  // namespace
}  // namespace qylon::realtime

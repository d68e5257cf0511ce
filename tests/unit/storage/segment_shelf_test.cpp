#include "storage/segment_shelf.hpp"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::storage {
namespace {

using Numbers = std::vector<std::uint64_t>;

const MeetingId kAnn = MeetingId::random();
const MeetingId kBob = MeetingId::random();

SegmentSummary segment(std::uint64_t number,
                       std::unordered_map<MeetingId, std::uint64_t> captions = {}) {
  return {number, 100, static_cast<std::int64_t>(number) * 1000, std::move(captions)};
}

TEST(SegmentShelf, AudioGoesByAge) {
  SegmentShelf shelf;
  shelf.add(segment(1));
  shelf.add(segment(2));
  EXPECT_EQ(shelf.take_expired({}, 2000), (Numbers{1}));
  EXPECT_EQ(shelf.bytes(), 100);
  EXPECT_EQ(shelf.count(), 1U);
}

TEST(SegmentShelf, CaptionsStayUntilAllAreSettled) {
  SegmentShelf shelf;
  shelf.add(segment(1, {{kAnn, 5}, {kBob, 2}}));
  EXPECT_TRUE(shelf.take_expired({{kAnn, 5}}, 9999).empty());
  EXPECT_TRUE(shelf.take_expired({{kAnn, 5}, {kBob, 1}}, 9999).empty());
  EXPECT_EQ(shelf.take_expired({{kAnn, 5}, {kBob, 2}}, 9999), (Numbers{1}));
}

TEST(SegmentShelf, UnderPressureTheOldestSettledOneGoes) {
  SegmentShelf shelf;
  shelf.add(segment(1, {{kAnn, 5}}));
  shelf.add(segment(2));
  shelf.add(segment(3));
  EXPECT_EQ(shelf.take_oldest_settled({}), 2U);
  EXPECT_EQ(shelf.take_oldest_settled({}), 3U);
  EXPECT_EQ(shelf.take_oldest_settled({}), std::nullopt);
  EXPECT_EQ(shelf.take_oldest_settled({{kAnn, 6}}), 1U);
  EXPECT_EQ(shelf.bytes(), 0);
}

TEST(SegmentShelf, KnowsWhichMeetingsItHolds) {
  SegmentShelf shelf;
  shelf.add(segment(1, {{kAnn, 1}}));
  EXPECT_TRUE(shelf.mentions(kAnn));
  EXPECT_FALSE(shelf.mentions(kBob));
}

}  // namespace
}  // namespace qylon::storage

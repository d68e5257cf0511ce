#include "storage/segment_shelf.hpp"

#include <map>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::storage {
namespace {

using Numbers = std::vector<std::uint64_t>;

const MeetingId kAnn = MeetingId::random();
const MeetingId kBob = MeetingId::random();

SegmentSummary segment(std::uint64_t number,
                       const std::map<MeetingId, std::uint64_t>& captions = {}) {
  SegmentSummary summary;
  summary.number = number;
  summary.bytes = 100;
  summary.closed_us = static_cast<std::int64_t>(number) * 1000;
  for (const auto& [meeting, offset] : captions)
    summary.note({RecordType::kCaption, meeting, offset, kSegmentHeaderBytes, 64});
  return summary;
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
  EXPECT_EQ(shelf.take_oldest_settled({}, 9999), 2U);
  EXPECT_EQ(shelf.take_oldest_settled({}, 9999), 3U);
  EXPECT_EQ(shelf.take_oldest_settled({}, 9999), std::nullopt);
  EXPECT_EQ(shelf.take_oldest_settled({{kAnn, 6}}, 9999), 1U);
  EXPECT_EQ(shelf.bytes(), 0);
}

TEST(SegmentShelf, KnowsWhichMeetingsItHolds) {
  SegmentShelf shelf;
  shelf.add(segment(1, {{kAnn, 1}}));
  EXPECT_TRUE(shelf.mentions(kAnn));
  EXPECT_FALSE(shelf.mentions(kBob));
}

TEST(SegmentShelf, TheSegmentThatIsWrittenToStays) {
  SegmentShelf shelf;
  SegmentSummary open = segment(1);
  open.closed_us = SegmentSummary::kOpen;
  shelf.add(open);
  EXPECT_TRUE(shelf.take_expired({}, 9999).empty());
  EXPECT_EQ(shelf.take_oldest_settled({}, 9999), std::nullopt);
  shelf.close(1, 40, 5000);
  EXPECT_EQ(shelf.bytes(), 40);
  EXPECT_EQ(shelf.take_expired({}, 9999), (Numbers{1}));
}

TEST(SegmentShelf, NeighbouringRecordsOfAMeetingShareAnExtent) {
  SegmentSummary summary = segment(1);
  summary.note({RecordType::kAudio, kAnn, 1, 128, 64});
  summary.note({RecordType::kAudio, kBob, 1, 192, 64});
  summary.note({RecordType::kAudio, kAnn, 2, 256, 64});
  summary.note({RecordType::kAudio, kAnn, 3, 200'000, 64});
  SegmentShelf shelf;
  shelf.add(summary);
  const auto places = shelf.audio_of(kAnn);
  ASSERT_EQ(places.size(), 2U);
  EXPECT_EQ(places[0].extent.offset, 128U);
  EXPECT_EQ(places[0].extent.bytes, 192U);
  EXPECT_EQ(places[0].extent.last_seq, 2U);
  EXPECT_EQ(places[1].extent.offset, 200'000U);
}

TEST(SegmentShelf, CaptionsAreFoundFromAnOffsetOn) {
  SegmentSummary summary = segment(1);
  summary.note({RecordType::kCaption, kAnn, 1, 128, 64});
  summary.note({RecordType::kCaption, kAnn, 2, 10'000, 64});
  SegmentShelf shelf;
  shelf.add(summary);
  EXPECT_EQ(shelf.captions_of(kAnn, 0).size(), 2U);
  EXPECT_EQ(shelf.captions_of(kAnn, 1).size(), 1U);
  EXPECT_TRUE(shelf.captions_of(kAnn, 2).empty());
  EXPECT_EQ(shelf.last_caption(kAnn), 2U);
  EXPECT_EQ(shelf.meetings_with_captions(), (std::vector<MeetingId>{kAnn}));
}

TEST(SegmentShelf, OfATornGroupOnlyWhatStandsBeforeTheDamageCounts) {
  const SegmentHeader header{};
  auto bytes = encode_segment_header(header);
  const auto append = [&](std::uint64_t offset, bool begins_group) {
    Record record;
    record.type = RecordType::kCaption;
    record.meeting = kAnn;
    record.seq = offset;
    record.begins_group = begins_group;
    encode_record(record, header.seed(), bytes);
  };
  append(1, true);
  const std::size_t second = bytes.size();
  append(2, false);
  append(3, false);
  const auto last_caption = [&kAnn = kAnn](std::vector<std::uint8_t> copy) {
    ScanReport report;
    const auto summary = summarise_segment(copy, report);
    return summary ? summary->meetings.at(kAnn).last_caption : 0;
  };
  EXPECT_EQ(last_caption(bytes), 3U);
  bytes[second] ^= 1;
  EXPECT_EQ(last_caption(bytes), 1U);
  append(4, true);  // What is damaged was synced: it is one record that is lost, and no more.
  EXPECT_EQ(last_caption(bytes), 4U);
}

}  // namespace
}  // namespace qylon::storage

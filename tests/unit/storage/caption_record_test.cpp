#include "storage/caption_record.hpp"

#include <cstddef>

#include <gtest/gtest.h>

namespace qylon::storage {
namespace {

Caption caption() {
  Caption result;
  result.meeting.value.bytes.fill(7);
  result.track = 2;
  result.segment = 11;
  result.revision = 4;
  result.offset = 5;
  result.start_ms = 1200;
  result.end_ms = 2400;
  result.speaker = {"s2", "Zoë \"Z\"", Provenance::kEnrolled, 0.75F};
  result.text = "grüß Gott";
  result.words = {{"grüß", 1200, 1700, 0.5F}, {"Gott", 1800, 2400, 0.25F}};
  result.confidence = 0.375F;
  result.language = "de";
  result.engine = "pocketsphinx";
  return result;
}

TEST(CaptionRecord, RoundTripsEveryField) {
  const Caption before = caption();
  const auto after = parse_caption_record(make_caption_record(before));
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->meeting, before.meeting);
  EXPECT_EQ(after->track, before.track);
  EXPECT_EQ(after->segment, before.segment);
  EXPECT_EQ(after->revision, before.revision);
  EXPECT_EQ(after->offset, before.offset);
  EXPECT_EQ(after->start_ms, before.start_ms);
  EXPECT_EQ(after->end_ms, before.end_ms);
  EXPECT_EQ(after->speaker.key, before.speaker.key);
  EXPECT_EQ(after->speaker.name, before.speaker.name);
  EXPECT_EQ(after->speaker.provenance, before.speaker.provenance);
  EXPECT_FLOAT_EQ(after->speaker.confidence, before.speaker.confidence);
  EXPECT_EQ(after->text, before.text);
  EXPECT_FLOAT_EQ(after->confidence, before.confidence);
  EXPECT_EQ(after->language, before.language);
  EXPECT_EQ(after->engine, before.engine);
  ASSERT_EQ(after->words.size(), 2U);
  EXPECT_EQ(after->words[1].text, "Gott");
  EXPECT_EQ(after->words[1].start_ms, 1800);
  EXPECT_EQ(after->words[1].end_ms, 2400);
  EXPECT_FLOAT_EQ(after->words[1].confidence, 0.25F);
}

Caption correction() {
  Caption result;
  result.meeting.value.bytes.fill(7);
  result.offset = 9;
  result.change = std::make_shared<const SpeakerChange>(SpeakerChange{
      SpeakerChange::Kind::kMerge, {"s1", "Ann", Provenance::kManual, 1}, "s3", {4, 7}});
  return result;
}

TEST(CaptionRecord, RoundTripsACorrectionOfSpeakers) {
  const auto after = parse_caption_record(make_caption_record(correction()));
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->offset, 9U);
  ASSERT_NE(after->change, nullptr);
  EXPECT_EQ(after->change->kind, SpeakerChange::Kind::kMerge);
  EXPECT_EQ(after->change->speaker.name, "Ann");
  EXPECT_EQ(after->change->speaker.provenance, Provenance::kManual);
  EXPECT_EQ(after->change->from, "s3");
  EXPECT_EQ(after->change->captions, (std::vector<std::uint64_t>{4, 7}));
}

TEST(CaptionRecord, IsRefusedWhereverACorrectionIsCut) {
  const Record whole = make_caption_record(correction());
  for (std::size_t size = 0; size < whole.payload.size(); ++size) {
    Record cut = whole;
    cut.payload.resize(size);
    EXPECT_FALSE(parse_caption_record(cut)) << size;
  }
}

TEST(CaptionRecord, IsRefusedWhereverItIsCut) {
  const Record whole = make_caption_record(caption());
  for (std::size_t size = 0; size < whole.payload.size(); ++size) {
    Record cut = whole;
    cut.payload.resize(size);
    EXPECT_FALSE(parse_caption_record(cut)) << size;
  }
}

TEST(CaptionRecord, IsRefusedWithBytesLeftOver) {
  Record record = make_caption_record(caption());
  record.payload.push_back(0);
  EXPECT_FALSE(parse_caption_record(record));
}

TEST(CaptionRecord, IsRefusedWithoutAnOffset) {
  Record record = make_caption_record(caption());
  record.seq = 0;
  EXPECT_FALSE(parse_caption_record(record));
}

TEST(CaptionRecord, AHugeWordCountReservesNothing) {
  Caption empty = caption();
  empty.words.clear();
  Record record = make_caption_record(empty);
  for (std::size_t i = 1; i <= 4; ++i)
    record.payload[record.payload.size() - i] = 0xFF;
  EXPECT_FALSE(parse_caption_record(record));
}

}  // namespace
}  // namespace qylon::storage

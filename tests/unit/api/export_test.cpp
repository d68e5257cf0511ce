#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api/export/line_text.hpp"
#include "api/export/transcript_export.hpp"
#include "core/utf8.hpp"
#include "tests/unit/api/export_readers.hpp"

namespace qylon::api {
namespace {

using test::read_csv;
using test::read_rttm;
using test::read_srt;
using test::read_vtt;
using test::ReadCue;

Speaker named(const std::string& key, const std::string& name) {
  return {.key = key, .name = name, .provenance = Provenance::kCluster, .confidence = 0.81F};
}

/// A caption whose words of `word_ms` each follow one another without pauses.
Caption caption(std::uint64_t offset, std::int64_t start_ms, const std::string& text) {
  Caption made;
  made.offset = offset;
  made.segment = offset;
  made.start_ms = start_ms;
  made.speaker = named("s1", "Ann");
  made.text = text;
  made.confidence = 0.5F;
  made.language = "en";
  made.engine = "pocketsphinx";
  std::int64_t at_ms = start_ms;
  std::string word;
  for (const char c : text + " ") {
    if (c != ' ') {
      word += c;
      continue;
    }
    made.words.push_back({word, at_ms, at_ms + 300, 0.9F});
    at_ms += 300;
    word.clear();
  }
  made.end_ms = at_ms;
  return made;
}

Transcript meeting_of(std::vector<Caption> captions) {
  Transcript transcript;
  transcript.meeting.id = *MeetingId::parse("11111111-2222-4333-8444-555555555555");
  transcript.meeting.title = "Weekly: sync & <more>";
  transcript.meeting.created_us = 1'795'258'800'123'000;  // 2026-11-21T11:00:00.123Z
  transcript.captions = std::move(captions);
  return transcript;
}

std::string forty_words() {
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += (i > 0 ? " word" : "word") + std::to_string(i);
  return text;
}

// What people, recognisers and attackers put into names and texts.
const std::vector<std::string> kPayloads{"plain words",
                                         "-->",
                                         "00:00:01,000 --> 00:00:02,000",
                                         "a --> b",
                                         "--->",
                                         "<b>bold</b>",
                                         "<script>alert(1)</script>",
                                         "<v Eve>spoof",
                                         "</v>",
                                         "<!-- x -->",
                                         "<00:00:01.000>",
                                         "a < b and c > d",
                                         "AT&T",
                                         "&amp;",
                                         "&lt;b&gt;",
                                         "&#60;",
                                         "{\\an8}top",
                                         "=1+1",
                                         "=HYPERLINK(\"http://x\",\"y\")",
                                         "+49 30 123",
                                         "-5",
                                         "@SUM(A1)",
                                         "'=1",
                                         "''",
                                         "'quoted'",
                                         "\xEF\xBC\x9D"
                                         "1",  // Full-width equals sign.
                                         "say \"hi\"",
                                         "\"",
                                         "a,b;c\td",
                                         "line\nbreak",
                                         "line\r\n\r\nbreak",
                                         "para\xE2\x80\xA9graph",
                                         "bell\x07 null \x01",
                                         "NOTE not a note",
                                         "WEBVTT",
                                         "42",
                                         "rtl \xE2\x80\xAE"
                                         "evil",  // Right-to-left override.
                                         "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",  // Hebrew.
                                         "isolate \xE2\x81\xA6x\xE2\x81\xA9",
                                         "broken \xC3\x28 utf-8 \xFF",
                                         "caf\xC3\xA9 \xF0\x9F\x8E\x99",
                                         "joiner --\xE2\x81\xA0> x",
                                         "\xEF\xBB\xBF"
                                         "bom",
                                         "a: b: c",
                                         "s1",
                                         "Ann: hello",
                                         "\\N \\n \\\"",
                                         "${jndi:ldap://x}",
                                         "'; drop table meetings; --",
                                         "zero\xE2\x80\x8Bwidth"};

class Payload : public testing::TestWithParam<std::size_t> {
 protected:
  const std::string& text() const { return kPayloads[GetParam()]; }
  /// The payload as text of one speaker and as name of another.
  Transcript transcript() const {
    Caption said = caption(1, 1000, text());
    Caption by = caption(2, 9000, "hello");
    by.speaker = named("s2", text());
    return meeting_of({said, by});
  }
};
INSTANTIATE_TEST_SUITE_P(All, Payload, testing::Range<std::size_t>(0, kPayloads.size()));

TEST_P(Payload, ComesBackFromWebVtt) {
  const auto cues = read_vtt(export_transcript(transcript(), ExportFormat::kVtt));
  ASSERT_EQ(cues.size(), 2U);
  EXPECT_EQ(cues[0].text(), one_line(text()));
  EXPECT_EQ(cues[0].speaker, "Ann");
  EXPECT_EQ(cues[1].text(), "hello");
  EXPECT_EQ(cues[1].speaker, one_line(text()));
}

TEST_P(Payload, ComesBackFromSubRip) {
  const auto cues = read_srt(export_transcript(transcript(), ExportFormat::kSrt));
  ASSERT_EQ(cues.size(), 2U);
  EXPECT_EQ(cues[0].text(), "Ann: " + one_line(text()));
  EXPECT_EQ(cues[1].text(), one_line(text()) + ": hello");
}

TEST_P(Payload, ComesBackFromCsv) {
  const auto rows = read_csv(export_transcript(transcript(), ExportFormat::kCsv));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].at(5), one_line(text()));
  EXPECT_EQ(rows[2].at(4), one_line(text()));
}

TEST_P(Payload, StaysOnItsLineInText) {
  const auto lines = test::split_lines(export_transcript(transcript(), ExportFormat::kTxt));
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[3], "[00:00:01] Ann: " + one_line(text()));
  EXPECT_EQ(lines[4], "[00:00:09] " + one_line(text()) + ": hello");
}

TEST_P(Payload, IsOneFieldInRttm) {
  const auto rows = read_rttm(export_transcript(transcript(), ExportFormat::kRttm));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1][3], "9.000");
  EXPECT_EQ(rows[1][4], "0.300");
}

TEST_P(Payload, GivesValidUtf8WithoutControlCharactersEverywhere) {
  for (const ExportFormat format : kExportFormats) {
    const std::string file = export_transcript(transcript(), format);
    EXPECT_TRUE(is_utf8(file)) << export_format_name(format);
    for (const char c : file)
      EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\r');
  }
}

TEST(Export, GivesTheSameBytesEveryTime) {
  const Transcript transcript = meeting_of({caption(1, 0, forty_words()), caption(2, 500, "yes")});
  for (const ExportFormat format : kExportFormats)
    EXPECT_EQ(export_transcript(transcript, format), export_transcript(transcript, format));
}

TEST(Export, LeavesOutCaptionsWithoutText) {
  const Transcript transcript = meeting_of({caption(1, 0, ""), caption(2, 500, " \n ")});
  EXPECT_EQ(export_transcript(transcript, ExportFormat::kSrt), "");
  EXPECT_EQ(export_transcript(transcript, ExportFormat::kVtt), "WEBVTT\n\n");
  EXPECT_EQ(export_transcript(transcript, ExportFormat::kRttm), "");
  EXPECT_EQ(read_csv(export_transcript(transcript, ExportFormat::kCsv)).size(), 1U);
}

TEST(Export, OrdersCaptionsByStart) {
  const auto rows = read_csv(export_transcript(
      meeting_of({caption(1, 5000, "late"), caption(2, 100, "early")}), ExportFormat::kCsv));
  EXPECT_EQ(rows.at(1).at(5), "early");
  EXPECT_EQ(rows.at(2).at(5), "late");
}

TEST(Export, NamesSpeakersByKeyWhenTheyHaveNoName) {
  Caption unnamed = caption(1, 0, "hello");
  unnamed.speaker = named("s7", "");
  Caption unknown = caption(2, 500, "hello");
  unknown.speaker = named("", "");
  const auto cues = read_vtt(export_transcript(meeting_of({unnamed, unknown}), ExportFormat::kVtt));
  EXPECT_EQ(cues.at(0).speaker, "s7");
  EXPECT_EQ(cues.at(1).speaker, "Unknown");
}

TEST(Subtitles, CutLongCaptionsToTwoShortLinesAtWordTimes) {
  const Transcript transcript = meeting_of({caption(1, 1000, forty_words())});
  const auto srt = read_srt(export_transcript(transcript, ExportFormat::kSrt));
  const auto vtt = read_vtt(export_transcript(transcript, ExportFormat::kVtt));
  for (const auto& cues : {srt, vtt}) {
    std::string text;
    std::int64_t expected_start_ms = 1000;
    for (const ReadCue& cue : cues) {
      EXPECT_LE(cue.lines.size(), 2U);
      for (const std::string& line : cue.lines)
        EXPECT_LE(line.size(), 42U);
      EXPECT_LE(cue.end_ms - cue.start_ms, 7000);
      EXPECT_EQ(cue.start_ms, expected_start_ms);  // Words of 300 ms without pauses.
      expected_start_ms = cue.end_ms;
      text += (text.empty() ? "" : " ") + cue.text();
    }
    EXPECT_EQ(expected_start_ms, 1000 + 40 * 300);
    EXPECT_TRUE(text.ends_with(forty_words()));
  }
}

TEST(Subtitles, EndACueAfterSevenSecondsOfSlowSpeech) {
  Caption slow = caption(1, 0, "a b c d e f g h");
  for (std::size_t i = 0; i < slow.words.size(); ++i) {
    slow.words[i].start_ms = static_cast<std::int64_t>(i) * 1900;
    slow.words[i].end_ms = slow.words[i].start_ms + 1900;
  }
  slow.end_ms = 8 * 1900;
  const auto cues = read_vtt(export_transcript(meeting_of({slow}), ExportFormat::kVtt));
  ASSERT_EQ(cues.size(), 3U);  // Three words of 1.9 s are 5.7 s, four are 7.6 s.
  EXPECT_EQ(cues[0].text(), "a b c");
  EXPECT_EQ(cues[1].id, "1-2");
}

TEST(Subtitles, EndACueAtAPause) {
  Caption paused = caption(1, 0, "one two");
  paused.words[1].start_ms = 2000;
  paused.words[1].end_ms = paused.end_ms = 2400;
  const auto cues = read_vtt(export_transcript(meeting_of({paused}), ExportFormat::kVtt));
  ASSERT_EQ(cues.size(), 2U);
  EXPECT_EQ(cues[0].end_ms, 300);
  EXPECT_EQ(cues[1].start_ms, 2000);
}

TEST(Subtitles, ShareOutTheTimeWhenTheWordsAreNotTheText) {
  Caption other = caption(1, 0, forty_words());
  other.words.clear();
  other.end_ms = 20'000;
  const auto cues = read_vtt(export_transcript(meeting_of({other}), ExportFormat::kVtt));
  EXPECT_GE(cues.size(), 3U);
  EXPECT_EQ(cues.front().start_ms, 0);
  EXPECT_EQ(cues.back().end_ms, 20'000);
}

TEST(Subtitles, GiveALongNameItsOwnLine) {
  Caption by = caption(1, 0, "hello there");
  by.speaker.name = "A very long name that nobody can say at once";
  const auto cues = read_srt(export_transcript(meeting_of({by}), ExportFormat::kSrt));
  ASSERT_EQ(cues.size(), 1U);
  EXPECT_EQ(cues[0].lines, (std::vector<std::string>{by.speaker.name + ":", "hello there"}));
}

TEST(Subtitles, GiveEveryCueALength) {
  Caption instant = caption(1, 1000, "blip");
  instant.end_ms = instant.words[0].end_ms = 1000;
  const auto cues = read_vtt(export_transcript(meeting_of({instant}), ExportFormat::kVtt));
  EXPECT_EQ(cues.at(0).end_ms, 1001);
}

TEST(Rttm, JoinsCaptionsOfOneSpeakerThatTouch) {
  const auto rows = read_rttm(export_transcript(
      meeting_of({caption(1, 0, "one two"), caption(2, 600, "three"), caption(3, 5000, "four")}),
      ExportFormat::kRttm));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0],
            (std::vector<std::string>{"SPEAKER",
                                      "11111111-2222-4333-8444-555555555555",
                                      "1",
                                      "0.000",
                                      "0.900",
                                      "<NA>",
                                      "<NA>",
                                      "Ann",
                                      "<NA>",
                                      "<NA>"}));
}

TEST(Rttm, CallsTheTranscriptOfAFileByItsTitle) {
  Transcript file = meeting_of({caption(1, 0, "one")});
  file.meeting.id = {};
  file.meeting.title = "board meeting";
  EXPECT_EQ(read_rttm(export_transcript(file, ExportFormat::kRttm)).at(0)[1], "board_meeting");
}

TEST(Rttm, TellsSpeakersOfOneNameApart) {
  Caption other = caption(2, 5000, "two");
  other.speaker = named("s2", "Ann");
  const auto rows =
      read_rttm(export_transcript(meeting_of({caption(1, 0, "one"), other}), ExportFormat::kRttm));
  EXPECT_EQ(rows.at(0).at(7), "Ann");
  EXPECT_EQ(rows.at(1).at(7), "Ann_s2");
}

TEST(Formats, AreListedToWhoAsksForAnother) {
  const auto format = parse_export_format("pdf");
  ASSERT_FALSE(format);
  EXPECT_NE(format.error().message.find("txt, srt, vtt, json, csv, rttm"), std::string::npos);
  EXPECT_FALSE(parse_export_format("SRT"));
  EXPECT_EQ(*parse_export_format("vtt"), ExportFormat::kVtt);
}

TEST(Formats, GiveFileNamesWithoutSurprises) {
  MeetingInfo meeting = meeting_of({}).meeting;
  EXPECT_EQ(export_file_name(meeting, ExportFormat::kSrt), "weekly-sync-more-2026-11-21.srt");
  meeting.title = "../../\xC3\xA9\"\r\n";
  EXPECT_EQ(export_file_name(meeting, ExportFormat::kCsv), "meeting-2026-11-21.csv");
}

}  // namespace
}  // namespace qylon::api

#include "diarization/cpwer.hpp"

#include <gtest/gtest.h>

namespace qylon::diarization {
namespace {

Wer score(std::vector<SpokenText> reference, std::vector<SpokenText> hypothesis) {
  Wer total;
  for (const RecordingWer& recording : score_cpwer(reference, hypothesis))
    total += recording.wer;
  return total;
}

TEST(CpWer, IsZeroWhenOnlyTheNamesDiffer) {
  const Wer wer = score({{"m", "ann", "one two"}, {"m", "ben", "three"}, {"m", "ann", "four"}},
                        {{"m", "2", "one two four"}, {"m", "1", "three"}});
  EXPECT_EQ(wer.errors(), 0);
  EXPECT_EQ(wer.reference_words, 4);
}

TEST(CpWer, BlamesTheWrongSpeakerForRightWords) {
  // ben's "three" went to ann's label: one insertion there, one deletion here.
  const Wer wer = score({{"m", "ann", "one two"}, {"m", "ben", "three four"}},
                        {{"m", "1", "one two three"}, {"m", "2", "four"}});
  EXPECT_EQ(wer.insertions, 1);
  EXPECT_EQ(wer.deletions, 1);
  EXPECT_EQ(format_cpwer(wer), "cpWER 50.00 sub 0.00 del 25.00 ins 25.00 words 4");
}

TEST(CpWer, CountsSpeakersWithoutPartnerAsAWhole) {
  EXPECT_EQ(score({{"m", "ann", "one"}, {"m", "ben", "two three"}}, {{"m", "1", "one"}}).deletions,
            2);
  EXPECT_EQ(score({{"m", "ann", "one"}}, {{"m", "1", "one"}, {"m", "2", "two three"}}).insertions,
            2);
}

TEST(CpWer, CountsRecordingsThatOneSideLacks) {
  const Wer wer = score({{"a", "ann", "one"}}, {{"b", "1", "two"}});
  EXPECT_EQ(wer.deletions, 1);
  EXPECT_EQ(wer.insertions, 1);
}

TEST(CpWer, ReadsLinesOfThreeColumns) {
  const auto lines = parse_spoken_texts("m\tann\tone two\r\n\nm\tben\t\n");
  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 2U);
  EXPECT_EQ((*lines)[0].text, "one two");
  EXPECT_EQ((*lines)[1].speaker, "ben");
}

TEST(CpWer, SaysWhichLineIsWrong) {
  for (const char* text : {"m\tann\tx\nm ann x\n", "\tann\tx", "m\t\tx", "m\tx"}) {
    const auto lines = parse_spoken_texts(text);
    ASSERT_FALSE(lines) << text;
    EXPECT_TRUE(lines.error().message.starts_with("line "));
  }
}

}  // namespace
}  // namespace qylon::diarization

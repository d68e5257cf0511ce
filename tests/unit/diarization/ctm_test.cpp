#include "diarization/ctm.hpp"

#include <gtest/gtest.h>

namespace qylon::diarization {
namespace {

TEST(Ctm, ReadsWordsWithAndWithoutConfidence) {
  // The example of NIST SCTK's infmts.htm.
  const auto words = parse_ctm(
      ";; Comments follow ';;'\n"
      "7654 A 11.34 0.2  YES -6.763\n");
  ASSERT_FALSE(words) << "a confidence that is no probability";
  const auto read = parse_ctm(";; x\n7654 A 11.34 0.2 YES\n\n7654 A 12.00 0.34 YOU 0.5\r\n");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].recording, "7654");
  EXPECT_DOUBLE_EQ((*read)[0].start_s, 11.34);
  EXPECT_NEAR((*read)[0].end_s, 11.54, 1e-9);
  EXPECT_EQ((*read)[0].confidence, 1.0F);
  EXPECT_EQ((*read)[1].text, "YOU");
  EXPECT_EQ((*read)[1].confidence, 0.5F);
}

TEST(Ctm, WritesWhatItReads) {
  const std::string text = "m 1 11.340 0.200 yes 1.000\nm 1 12.000 0.340 you 0.500\n";
  const auto words = parse_ctm(text);
  ASSERT_TRUE(words);
  EXPECT_EQ(format_ctm(*words), text);
}

TEST(Ctm, SaysWhichLineIsWrong) {
  for (const char* text : {"m 1 0 1 a\nm 1 0 1\n", "\nm 1 x 1 a", "\nm 1 0 -1 a"}) {
    const auto words = parse_ctm(text);
    ASSERT_FALSE(words) << text;
    EXPECT_TRUE(words.error().message.starts_with("line 2: ")) << words.error().message;
  }
}

TEST(Ctm, PutsWordsOfARecordingInOrder) {
  const auto texts =
      texts_by_recording({{"b", 5, 6, "two", 1}, {"a", 0, 1, "x", 1}, {"b", 1, 2, "one", 1}});
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0].text, "x");
  EXPECT_EQ(texts[1].name, "b");
  EXPECT_EQ(texts[1].text, "one two");
}

}  // namespace
}  // namespace qylon::diarization

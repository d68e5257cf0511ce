#include "diarization/rttm.hpp"

#include <gtest/gtest.h>

namespace qylon::diarization {
namespace {

TEST(Rttm, ReadsSpeakerLinesAndPassesOverTheRest) {
  const Result<std::vector<Turn>> turns = parse_rttm(
      ";; comment\n"
      "SPKR-INFO a 1 <NA> <NA> <NA> unknown B <NA> <NA>\n"
      "\n"
      "SPEAKER a 1 0.37 1.39 <NA> <NA> B <NA> <NA>\r\n"
      "SPEAKER  b 1\t2 3 <NA> <NA> C <NA>");
  ASSERT_TRUE(turns);
  ASSERT_EQ(turns->size(), 2U);
  EXPECT_EQ((*turns)[0].recording, "a");
  EXPECT_EQ((*turns)[0].speaker, "B");
  EXPECT_DOUBLE_EQ((*turns)[0].start_s, 0.37);
  EXPECT_DOUBLE_EQ((*turns)[0].end_s, 0.37 + 1.39);
  EXPECT_DOUBLE_EQ((*turns)[1].end_s, 5.0);
}

TEST(Rttm, SaysWhichLineIsWrong) {
  for (const char* wrong : {"SPEAKER a 1 0.5 1",
                            "SPEAKER a 1 x 1 <NA> <NA> B <NA> <NA>",
                            "SPEAKER a 1 -1 1 <NA> <NA> B <NA> <NA>",
                            "SPEAKER a 1 0 nan <NA> <NA> B <NA> <NA>",
                            "SPEAKER a 1 0 1e300 <NA> <NA> B <NA> <NA>"}) {
    const Result<std::vector<Turn>> turns = parse_rttm(std::string("\n") + wrong + "\n");
    ASSERT_FALSE(turns) << wrong;
    EXPECT_EQ(turns.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(turns.error().message.rfind("line 2: ", 0), 0U) << turns.error().message;
  }
}

TEST(Rttm, ComesBackFromWhatItWrote) {
  const std::vector<Turn> turns = {{"m", "voice 1", 0.5, 2.25}, {"m", "v2", 3600.001, 3601}};
  EXPECT_EQ(format_rttm(turns),
            "SPEAKER m 1 0.500 1.750 <NA> <NA> voice_1 <NA> <NA>\n"
            "SPEAKER m 1 3600.001 0.999 <NA> <NA> v2 <NA> <NA>\n");
  const Result<std::vector<Turn>> again = parse_rttm(format_rttm(turns));
  ASSERT_TRUE(again);
  EXPECT_EQ(format_rttm(*again), format_rttm(turns));
}

TEST(Uem, ReadsRegionsAndSaysWhichLineIsWrong) {
  const Result<std::vector<ScoredRegion>> regions = parse_uem("# all\nES2004a 1 0.000 1049.354\n");
  ASSERT_TRUE(regions);
  ASSERT_EQ(regions->size(), 1U);
  EXPECT_DOUBLE_EQ((*regions)[0].end_s, 1049.354);
  EXPECT_EQ(format_uem(*regions), "ES2004a 1 0.000 1049.354\n");
  const Result<std::vector<ScoredRegion>> wrong = parse_uem("a 1 5 4\n");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message.rfind("line 1: ", 0), 0U);
}

}  // namespace
}  // namespace qylon::diarization

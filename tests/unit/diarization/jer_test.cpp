#include "diarization/jer.hpp"

#include <gtest/gtest.h>

namespace qylon::diarization {
namespace {

Jer score(std::vector<Turn> reference,
          std::vector<Turn> hypothesis,
          std::vector<ScoredRegion> scored = {}) {
  Jer total;
  for (const RecordingJer& recording : score_jer(reference, hypothesis, scored))
    total += recording.jer;
  return total;
}

TEST(Jer, IsZeroWhenOnlyTheNamesDiffer) {
  const Jer jer =
      score({{"m", "ann", 0, 10}, {"m", "ben", 8, 15}}, {{"m", "2", 0, 10}, {"m", "1", 8, 15}});
  EXPECT_DOUBLE_EQ(jer.percent(), 0);
  EXPECT_EQ(jer.speakers, 2);
}

TEST(Jer, CountsEverySpeakerAlikeHoweverShort) {
  // ann: 8 of 12 s that either has (miss 2, false alarm 2): 1/3. ben: nobody, 1.
  const Jer jer = score({{"m", "ann", 0, 10}, {"m", "ben", 20, 21}}, {{"m", "1", 2, 12}});
  EXPECT_NEAR(jer.percent(), 100.0 * (1.0 / 3 + 1) / 2, 1e-9);
  EXPECT_EQ(format_jer(jer), "JER 66.67 speakers 2");
}

TEST(Jer, MapsSpeakersByTheirErrorNotByTimeInCommon) {
  // "1" shares 6 s with ann (of 16) and 5 s with ben (of 11); "2" shares 1 s with ann (of 10).
  // By common time 1 -> ann leaves ben without partner: 10/16 + 1. By error 1 -> ben, 2 -> ann.
  const Jer jer =
      score({{"m", "ann", 0, 10}, {"m", "ben", 10, 15}}, {{"m", "1", 4, 15}, {"m", "2", 0, 1}});
  EXPECT_NEAR(jer.error_sum, (1 - 5.0 / 11) + (1 - 1.0 / 10), 1e-9);
}

TEST(Jer, AveragesOverTheSpeakersOfAllRecordings) {
  // One speaker found and one of three missed: (0 + 0 + 1 + 1) / 4.
  const Jer jer = score({{"a", "x", 0, 1}, {"b", "x", 0, 1}, {"b", "y", 1, 2}, {"b", "z", 2, 3}},
                        {{"a", "1", 0, 1}, {"b", "1", 0, 1}});
  EXPECT_DOUBLE_EQ(jer.percent(), 50);
}

TEST(Jer, LeavesOutWhatIsNotScored) {
  const Jer jer =
      score({{"m", "ann", 0, 10}, {"m", "ben", 20, 30}}, {{"m", "1", 0, 5}}, {{"m", 0, 5}});
  EXPECT_DOUBLE_EQ(jer.percent(), 0);
  EXPECT_EQ(jer.speakers, 1);
}

}  // namespace
}  // namespace qylon::diarization

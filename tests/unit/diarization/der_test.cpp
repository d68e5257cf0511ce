#include "diarization/der.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace qylon::diarization {
namespace {

Der score(std::vector<Turn> reference,
          std::vector<Turn> hypothesis,
          std::vector<ScoredRegion> scored = {},
          OverlapOptions options = {}) {
  return total_der(score_der(reference, hypothesis, scored, options));
}

TEST(Der, IsZeroWhenOnlyTheNamesDiffer) {
  const Der der =
      score({{"m", "ann", 0, 10}, {"m", "ben", 10, 15}}, {{"m", "2", 0, 10}, {"m", "1", 10, 15}});
  EXPECT_DOUBLE_EQ(der.speech_s, 15);
  EXPECT_DOUBLE_EQ(der.percent(), 0);
}

TEST(Der, SplitsIntoMissFalseAlarmAndConfusion) {
  // Of 10 + 10 s: 2 s not found, 1 s found in silence, 3 s of ben given to ann's label.
  const Der der = score({{"m", "ann", 0, 10}, {"m", "ben", 20, 30}},
                        {{"m", "1", 2, 11}, {"m", "1", 20, 23}, {"m", "2", 23, 30}});
  EXPECT_DOUBLE_EQ(der.speech_s, 20);
  EXPECT_DOUBLE_EQ(der.miss_s, 2);
  EXPECT_DOUBLE_EQ(der.false_alarm_s, 1);
  EXPECT_DOUBLE_EQ(der.confusion_s, 3);
  EXPECT_EQ(format_der(der), "DER 30.00 miss 10.00 fa 5.00 conf 15.00");
}

TEST(Der, CountsOverlapAsSpeechOfBoth) {
  const Der der =
      score({{"m", "ann", 0, 10}, {"m", "ben", 8, 12}}, {{"m", "1", 0, 8}, {"m", "2", 8, 12}});
  EXPECT_DOUBLE_EQ(der.speech_s, 14);
  EXPECT_DOUBLE_EQ(der.miss_s, 2);
  EXPECT_DOUBLE_EQ(der.confusion_s, 0);
}

TEST(Der, LeavesOverlapOutWhenTold) {
  const Der der = score({{"m", "ann", 0, 10}, {"m", "ben", 8, 12}},
                        {{"m", "1", 0, 12}},
                        {},
                        {.collar_s = 0, .skip_overlap = true});
  EXPECT_DOUBLE_EQ(der.speech_s, 10);  // 0..8 and 10..12
  EXPECT_DOUBLE_EQ(der.confusion_s, 2);
}

TEST(Der, DoesNotScoreTheCollarOfReferenceBoundaries) {
  // The label starts 0.2 s late and ends 0.3 s late: only 0.05 s lie outside the 0.25 s collar.
  const Der der = score(
      {{"m", "ann", 1, 3}}, {{"m", "1", 1.2, 3.3}}, {}, {.collar_s = 0.25, .skip_overlap = false});
  EXPECT_NEAR(der.speech_s, 1.5, 1e-12);
  EXPECT_NEAR(der.miss_s, 0, 1e-12);
  EXPECT_NEAR(der.false_alarm_s, 0.05, 1e-12);
}

TEST(Der, ScoresOnlyInsideTheGivenRegions) {
  const Der der = score({{"m", "ann", 0, 10}}, {{"m", "1", 0, 4}}, {{"m", 2, 6}});
  EXPECT_DOUBLE_EQ(der.speech_s, 4);
  EXPECT_DOUBLE_EQ(der.miss_s, 2);
}

TEST(Der, JoinsOverlappingTurnsOfOneSpeaker) {
  const Der der = score({{"m", "ann", 0, 6}, {"m", "ann", 4, 10}}, {{"m", "1", 0, 10}});
  EXPECT_DOUBLE_EQ(der.speech_s, 10);
  EXPECT_DOUBLE_EQ(der.percent(), 0);
}

TEST(Der, MapsSpeakersWithinEachRecordingOnItsOwn) {
  const std::vector<Turn> reference = {{"a", "ann", 0, 5}, {"b", "ann", 0, 5}};
  const std::vector<Turn> hypothesis = {{"a", "1", 0, 5}, {"b", "2", 0, 5}, {"c", "9", 0, 99}};
  const std::vector<RecordingDer> scored = score_der(reference, hypothesis, {}, {});
  ASSERT_EQ(scored.size(), 2U);
  EXPECT_DOUBLE_EQ(total_der(scored).percent(), 0);
}

TEST(Der, IsInfiniteWhenNothingWasSaidAndSomethingFound) {
  EXPECT_TRUE(std::isinf(Der{.false_alarm_s = 1}.percent()));
  EXPECT_EQ(Der{}.percent(), 0);
}

std::string read_files(const std::filesystem::path& folder) {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path());
    text.append(std::istreambuf_iterator<char>(file), {});
    text += '\n';
  }
  return text;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Published outputs of one online and two offline systems on AMI, scored by an independent
// exact-interval scorer (no collar, overlap scored).
TEST(Der, AgreesWithAnotherScorerOnSixPublishedHypotheses) {
  const std::filesystem::path folder = std::filesystem::path(QYLON_SHARED_DATA) / "der";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  const Result<std::vector<Turn>> reference = parse_rttm(read_files(folder / "ref"));
  const Result<std::vector<ScoredRegion>> scored = parse_uem(read_files(folder / "uem"));
  ASSERT_TRUE(reference && scored);
  const std::vector<std::pair<std::string, double>> expected = {
      {"offline_vbx", 24.14},
      {"offline_vbx+overlap_aware_segmentation", 19.92},
      {"online_0.5s", 34.08},
      {"online_1.0s", 30.40},
      {"online_2.0s", 28.38},
      {"online_5.0s", 27.46}};
  // The reference folder holds more recordings than the test set that the regions name.
  std::vector<Turn> inside;
  for (const Turn& turn : *reference) {
    const bool named = std::any_of(scored->begin(), scored->end(), [&](const ScoredRegion& r) {
      return r.recording == turn.recording;
    });
    if (named) inside.push_back(turn);
  }
  for (const auto& [name, percent] : expected) {
    const Result<std::vector<Turn>> hypothesis =
        parse_rttm(read_file(folder / "hyp" / (name + ".rttm")));
    ASSERT_TRUE(hypothesis);
    const Der der = total_der(score_der(inside, *hypothesis, *scored, {}));
    EXPECT_NEAR(der.percent(), percent, 0.005) << name << ' ' << format_der(der);
  }
}

}  // namespace
}  // namespace qylon::diarization

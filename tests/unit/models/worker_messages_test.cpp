#include <gtest/gtest.h>

#include "models/worker/messages.hpp"

namespace qylon::models {
namespace {

TEST(Messages, ADecodedSegmentSurvivesTheTrip) {
  Decoded decoded;
  decoded.words = {{"hello", 10, 250, 0.75F}, {"Ann", 300, 300, 1.0F}};
  decoded.mean = {{1.5F, -2.0F}, 120.0F};
  decoded.skipped_words = 3;
  const auto back = parse_decoded(encode_decoded(decoded));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->words.size(), 2U);
  EXPECT_EQ(back->words[1].text, "Ann");
  EXPECT_EQ(back->words[0].end_ms, 250);
  EXPECT_FLOAT_EQ(back->words[0].confidence, 0.75F);
  EXPECT_EQ(back->mean.values, decoded.mean.values);
  EXPECT_EQ(back->skipped_words, 3U);
}

TEST(Messages, EveryCutOfADecodedSegmentIsRefused) {
  Decoded decoded;
  decoded.words = {{"hello", 10, 250, 0.75F}};
  decoded.mean = {{1.5F}, 1.0F};
  const std::string whole = encode_decoded(decoded);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_decoded(std::string_view(whole).substr(0, size))) << size;
  EXPECT_FALSE(parse_decoded(whole + "x"));
}

TEST(Messages, AWorkersImpossibleWordsAreRefused) {
  Decoded backwards;
  backwards.words = {{"x", 200, 100, 0.5F}};
  EXPECT_FALSE(parse_decoded(encode_decoded(backwards)));
  Decoded too_sure;
  too_sure.words = {{"x", 0, 100, 1.5F}};
  EXPECT_FALSE(parse_decoded(encode_decoded(too_sure)));
  Decoded unnumbered;
  unnumbered.mean = {{std::numeric_limits<float>::quiet_NaN()}, 1.0F};
  EXPECT_FALSE(parse_decoded(encode_decoded(unnumbered)));
}

TEST(Messages, SetupAndPhrasesSurviveTheTrip) {
  const auto setup = parse_setup(encode_setup({true, {{3.0F}, 7.0F}}));
  ASSERT_TRUE(setup);
  EXPECT_TRUE(setup->live);
  EXPECT_EQ(setup->mean.values, std::vector<float>{3.0F});
  const std::vector<std::string> phrases{"Kowalska", "quarterly review"};
  EXPECT_EQ(parse_phrases(encode_phrases(phrases)), phrases);
}

}  // namespace
}  // namespace qylon::models

#include "diarization/wer.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace qylon::diarization {
namespace {

using Words = std::vector<std::string>;

TEST(Wer, ComparesWordsWithoutCaseAndPunctuation) {
  EXPECT_EQ(normalised_words("Don't stop -- it's 'fine', well-known."),
            (Words{"don't", "stop", "it's", "fine", "well", "known"}));
}

TEST(Wer, SpellsNumbers) {
  EXPECT_EQ(
      normalised_words("press 1, 42 or 1,305"),
      (Words{"press", "one", "forty", "two", "or", "one", "thousand", "three", "hundred", "five"}));
  EXPECT_EQ(normalised_words("3.5 007"),
            (Words{"three", "point", "five", "zero", "zero", "seven"}));
  EXPECT_EQ(normalised_words("20000 0"), (Words{"twenty", "thousand", "zero"}));
}

TEST(Wer, UnifiesSpellingsAndDropsMarks) {
  EXPECT_EQ(normalised_words("<s> Mr. Grey ++NOISE++ read(2) [laugh] ok </s>"),
            (Words{"mister", "gray", "read", "okay"}));
}

TEST(Wer, KeepsLettersOfOtherScripts) {
  EXPECT_EQ(normalised_words("Caf\xC3\xA9 it\xE2\x80\x99s"), (Words{"caf\xC3\xA9", "it's"}));
}

TEST(Wer, CountsEachKindOfError) {
  // the cat sat on the mat / the hat sat the mat now: one substitution, deletion, insertion.
  const Wer wer = score_wer("the cat sat on the mat", "the hat sat the mat now");
  EXPECT_EQ(wer.reference_words, 6);
  EXPECT_EQ(wer.substitutions, 1);
  EXPECT_EQ(wer.deletions, 1);
  EXPECT_EQ(wer.insertions, 1);
  EXPECT_EQ(format_wer(wer), "WER 50.00 sub 16.67 del 16.67 ins 16.67 words 6");
}

TEST(Wer, OfSilenceIsZeroOrInfinite) {
  EXPECT_EQ(score_wer("", "").percent(), 0);
  EXPECT_TRUE(std::isinf(score_wer("", "something").percent()));
}

TEST(Wer, PairsTextsByName) {
  const Result<std::vector<NamedText>> reference = parse_named_texts("a\tone two\nb\tthree\n");
  const Result<std::vector<NamedText>> hypothesis = parse_named_texts("a\tone two\r\n");
  ASSERT_TRUE(reference && hypothesis);
  const Result<Wer> wer = score_wer(*reference, *hypothesis);
  ASSERT_TRUE(wer);
  EXPECT_EQ(wer->reference_words, 3);
  EXPECT_EQ(wer->deletions, 1);
  EXPECT_FALSE(score_wer(*hypothesis, *reference));
}

TEST(Wer, SaysWhichTranscriptLineIsWrong) {
  const Result<std::vector<NamedText>> wrong = parse_named_texts("a\tone\nno tab here\n");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message.rfind("line 2: ", 0), 0U);
}

}  // namespace
}  // namespace qylon::diarization

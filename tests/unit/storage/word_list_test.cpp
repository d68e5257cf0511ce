#include "storage/word_list.hpp"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::storage {
namespace {

TEST(WordList, IsAnArrayOfArrays) {
  const std::vector<Word> words{{"ten", 0, 90, 0.9F}, {"words", 100, 190, 1.0F}};
  EXPECT_EQ(encode_words(words), R"([["ten",0,90,0.9],["words",100,190,1]])");
}

TEST(WordList, OfNoWordsIsEmpty) {
  EXPECT_EQ(encode_words({}), "[]");
}

TEST(WordList, EscapesWhatJsonTextMustNotHave) {
  const std::vector<Word> words{{"a\"b\\c\n\x1f", 0, 1, 0.0F}};
  EXPECT_EQ(encode_words(words), R"([["a\"b\\c\u000a\u001f",0,1,0]])");
}

TEST(WordList, LeavesOutTheCharacterThatPostgresqlRefuses) {
  const std::vector<Word> words{{std::string("a\0b", 3), 0, 1, 0.0F}};
  EXPECT_EQ(encode_words(words), R"([["ab",0,1,0]])");
}

TEST(WordList, KeepsConfidenceBetweenNoneAndFull) {
  EXPECT_EQ(unit_interval(-0.1F), 0.0F);
  EXPECT_EQ(unit_interval(1.5F), 1.0F);
  EXPECT_EQ(unit_interval(std::numeric_limits<float>::quiet_NaN()), 0.0F);
}

}  // namespace
}  // namespace qylon::storage

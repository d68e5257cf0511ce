#include "core/utf8.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon {
namespace {

// Boundaries of RFC 3629 section 3 and 4: first and last value of every length, and the two around
// the surrogates.
TEST(Utf8, ReadsBackEveryBoundaryItWrites) {
  for (const char32_t value :
       {0x0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF}) {
    std::string text;
    append_utf8(text, value);
    const CodePoint point = first_code_point(text);
    EXPECT_TRUE(point.valid);
    EXPECT_EQ(point.value, value);
    EXPECT_EQ(point.size_bytes, text.size());
  }
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndTooLargeValues) {
  EXPECT_FALSE(is_utf8("\xC0\x80"));
  EXPECT_FALSE(is_utf8("\xC1\xBF"));
  EXPECT_FALSE(is_utf8("\xE0\x9F\xBF"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_utf8("\xF0\x8F\xBF\xBF"));
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(is_utf8("\xF5\x80\x80\x80"));
  EXPECT_FALSE(is_utf8("\xFF"));
}

TEST(Utf8, RefusesCutSequences) {
  EXPECT_FALSE(is_utf8("\xE2\x82"));
  EXPECT_FALSE(is_utf8("a\x80"));
  EXPECT_TRUE(is_utf8("a\xE2\x82\xACz"));
}

// Unicode 15, table 3-8: F1 80 80 E1 80 C2 are three maximal subparts.
TEST(Utf8, CountsABrokenSequenceOnce) {
  EXPECT_EQ(count_code_points("\xF1\x80\x80\xE1\x80\xC2"), 3U);
}

}  // namespace
}  // namespace qylon

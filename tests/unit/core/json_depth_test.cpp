#include "core/json_depth.hpp"

#include <gtest/gtest.h>

namespace qylon {
namespace {

TEST(JsonDepth, CountsArraysAndObjectsAlike) {
  EXPECT_FALSE(json_is_deeper_than(R"([{"a":[]}])", 3));
  EXPECT_TRUE(json_is_deeper_than(R"([{"a":[]}])", 2));
  EXPECT_FALSE(json_is_deeper_than("[][][][]", 1));
}

TEST(JsonDepth, LeavesOutWhatStandsInStrings) {
  EXPECT_FALSE(json_is_deeper_than(R"(["[[[[", "\"[[[[", "\\"])", 1));
  EXPECT_TRUE(json_is_deeper_than(R"(["\\"[[[[)", 2));
  EXPECT_FALSE(json_is_deeper_than("\"[[[", 0));
  EXPECT_FALSE(json_is_deeper_than("\"\\", 0));
}

}  // namespace
}  // namespace qylon

#include "realtime/byte_range.hpp"

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

// The examples of RFC 9110 section 14.1.2, of a representation of 10,000 bytes.
TEST(ByteRange, ReadsTheExamplesOfTheStandard) {
  EXPECT_EQ(resolve_range("bytes=0-499", 10'000), (ByteRange{0, 500}));
  EXPECT_EQ(resolve_range("bytes=500-999", 10'000), (ByteRange{500, 500}));
  EXPECT_EQ(resolve_range("bytes=-500", 10'000), (ByteRange{9'500, 500}));
  EXPECT_EQ(resolve_range("bytes=9500-", 10'000), (ByteRange{9'500, 500}));
}

TEST(ByteRange, ReachesNoFartherThanTheFile) {
  EXPECT_EQ(resolve_range("bytes=0-99999", 10), (ByteRange{0, 10}));
  EXPECT_EQ(resolve_range("bytes=-99", 10), (ByteRange{0, 10}));
}

TEST(ByteRange, WhatLiesBeyondTheFileIsEmpty) {
  EXPECT_EQ(resolve_range("bytes=10-", 10), ByteRange{});
  EXPECT_EQ(resolve_range("bytes=0-", 0), ByteRange{});
  EXPECT_EQ(resolve_range("bytes=-0", 10)->count, 0U);
}

TEST(ByteRange, AnythingElseIsTheWholeFile) {
  for (const char* const text : {"bytes=",
                                 "bytes=-",
                                 "bytes=5-2",
                                 "bytes=a-b",
                                 "bytes=0-1,3-4",
                                 "items=0-1",
                                 "bytes=1",
                                 "bytes=99999999999999999999-",
                                 ""})
    EXPECT_EQ(resolve_range(text, 10), std::nullopt) << text;
  EXPECT_EQ(resolve_range(std::nullopt, 10), std::nullopt);
}

TEST(ByteRange, IsNamedInTheAnswer) {
  EXPECT_EQ(content_range({2, 3}, 10), "bytes 2-4/10");
  EXPECT_EQ(content_range({}, 10), "bytes */10");
}

}  // namespace
}  // namespace qylon::realtime

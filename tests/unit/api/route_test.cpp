#include "api/route.hpp"

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

TEST(Route, CapturesWhatStandsInBraces) {
  const auto captures =
      match_path("/api/meetings/{id}/tracks/{track}/audio", "/api/meetings/abc/tracks/7/audio");
  ASSERT_TRUE(captures);
  EXPECT_EQ((*captures)[0], "abc");
  EXPECT_EQ((*captures)[1], "7");
}

TEST(Route, WantsEverySegmentAndNoMore) {
  EXPECT_TRUE(match_path("/api/meetings", "/api/meetings"));
  EXPECT_FALSE(match_path("/api/meetings", "/api/meetings/"));
  EXPECT_FALSE(match_path("/api/meetings", "/api"));
  EXPECT_FALSE(match_path("/api/meetings", "/api/meetingsx"));
  EXPECT_FALSE(match_path("/api/meetings/{id}", "/api/meetings/"));
  EXPECT_FALSE(match_path("/api/meetings/{id}", "/api/meetings/a/b"));
  EXPECT_FALSE(match_path("/api/meetings", ""));
  EXPECT_FALSE(match_path("/api/meetings", "api/meetings"));
}

}  // namespace
}  // namespace qylon::api

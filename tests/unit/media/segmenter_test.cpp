#include "media/segmenter.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace qylon::media {
namespace {

constexpr std::int64_t kMs = 16;  // Samples.

struct Cut {
  std::int64_t begin_ms;
  std::int64_t end_ms;
  bool operator==(const Cut&) const = default;
};

/// Feeds probabilities block by block and collects whole utterances.
class Feed {
 public:
  explicit Feed(const Segmenter::Options& options = {}) : segmenter_(options) {}

  Feed& blocks(int milliseconds, float probability) {
    for (int i = 0; i < milliseconds / 10; ++i) {
      note(segmenter_.push(now_, probability));
      now_ += kBlockSamples;
    }
    return *this;
  }
  Feed& flush() {
    note(segmenter_.flush());
    return *this;
  }
  std::vector<Cut> cuts;
  Segmenter segmenter_;

 private:
  void note(const Segmenter::Step& step) {
    if (step.end) cuts.push_back({begin_ / kMs, *step.end / kMs});
    if (step.begin) begin_ = *step.begin;
  }
  std::int64_t now_ = 0;
  std::int64_t begin_ = 0;
};

TEST(Segmenter, CutsSpeechWithRollOnBothSides) {
  Feed feed;
  feed.blocks(1000, 0.0F).blocks(1000, 0.9F).blocks(1000, 0.0F);
  EXPECT_EQ(feed.cuts, (std::vector<Cut>{{900, 2100}}));
}

TEST(Segmenter, BridgesAPauseShorterThanItsLimit) {
  Feed feed;
  feed.blocks(500, 0.0F).blocks(500, 0.9F).blocks(290, 0.0F).blocks(500, 0.9F).blocks(800, 0.0F);
  EXPECT_EQ(feed.cuts, (std::vector<Cut>{{400, 1890}}));
}

TEST(Segmenter, IgnoresAClickShorterThanItsOnset) {
  Feed feed;
  feed.blocks(500, 0.0F).blocks(40, 1.0F).blocks(500, 0.0F).flush();
  EXPECT_TRUE(feed.cuts.empty());
}

TEST(Segmenter, HoldsSpeechBetweenItsTwoThresholds) {
  Feed feed;
  feed.blocks(100, 0.9F).blocks(2000, 0.4F).blocks(1000, 0.0F);
  EXPECT_EQ(feed.cuts, (std::vector<Cut>{{0, 2200}}));
}

TEST(Segmenter, NeverOverlapsTheUtteranceBefore) {
  Feed feed({.pause_ms = 200, .pre_roll_ms = 500, .post_roll_ms = 200});
  feed.blocks(500, 0.9F).blocks(250, 0.0F).blocks(500, 0.9F).blocks(300, 0.0F);
  ASSERT_EQ(feed.cuts.size(), 2U);
  EXPECT_EQ(feed.cuts[0].end_ms, feed.cuts[1].begin_ms);
}

TEST(Segmenter, CutsEndlessSpeechAtItsQuietestBlock) {
  Feed feed({.longest_ms = 4000});
  feed.blocks(3000, 0.9F).blocks(50, 0.5F).blocks(2000, 0.9F).flush();
  ASSERT_EQ(feed.cuts.size(), 2U);
  EXPECT_NEAR(static_cast<double>(feed.cuts[0].end_ms), 3025.0, 25.0);
  EXPECT_EQ(feed.cuts[0].end_ms, feed.cuts[1].begin_ms);
  EXPECT_EQ(feed.cuts[1].end_ms, 5050);
}

TEST(Segmenter, EveryUtteranceStaysWithinItsLongest) {
  Feed feed({.longest_ms = 5000});
  feed.blocks(60'000, 0.9F).flush();
  for (const Cut& cut : feed.cuts)
    EXPECT_LE(cut.end_ms - cut.begin_ms, 5000);
  EXPECT_EQ(feed.cuts.back().end_ms, 60'000);
}

TEST(Segmenter, FlushEndsTheOpenUtteranceAtTheNewestBlock) {
  Feed feed;
  feed.blocks(700, 0.9F).flush();
  EXPECT_EQ(feed.cuts, (std::vector<Cut>{{0, 700}}));
  EXPECT_FALSE(feed.segmenter_.open());
}

TEST(Segmenter, ASplitStartsTheCountAnew) {
  Feed feed({.longest_ms = 4000});
  feed.blocks(2000, 0.9F);
  feed.segmenter_.split(1500 * kMs);
  feed.blocks(3000, 0.9F);
  EXPECT_TRUE(feed.cuts.empty());  // 3.5 s since the split.
  EXPECT_EQ(feed.segmenter_.start_sample(), 1500 * kMs);
}

}  // namespace
}  // namespace qylon::media

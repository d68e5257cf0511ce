#include "media/audio_ring.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace qylon::media {
namespace {

std::vector<float> read(const AudioRing& ring, std::int64_t from, std::int64_t to) {
  std::vector<float> samples;
  ring.read(from, to, [&samples](std::span<const float> run) {
    samples.insert(samples.end(), run.begin(), run.end());
  });
  return samples;
}

TEST(AudioRing, GivesBackTheNewestSamplesByPosition) {
  AudioRing ring(10);
  std::vector<float> block(4);
  for (int b = 0; b < 5; ++b) {
    std::iota(block.begin(), block.end(), static_cast<float>(4 * b));
    ring.append(4 * b, block);
  }
  EXPECT_EQ(ring.begin_sample(), 10);
  EXPECT_EQ(ring.end_sample(), 20);
  EXPECT_EQ(read(ring, 0, 100), (std::vector<float>{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}));
  EXPECT_EQ(read(ring, 12, 14), (std::vector<float>{12, 13}));
}

TEST(AudioRing, AJumpForgetsWhatWasBefore) {
  AudioRing ring(10);
  const std::vector<float> block(4, 1.0F);
  ring.append(0, block);
  ring.append(1000, block);
  EXPECT_EQ(ring.begin_sample(), 1000);
  EXPECT_TRUE(read(ring, 0, 1000).empty());
}

}  // namespace
}  // namespace qylon::media

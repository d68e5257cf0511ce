#include "media/block_delay.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace qylon::media {
namespace {

constexpr int kDelay = dsp::VoiceActivity::kDelayBlocks;

Block block(int number) {
  Block result;
  result.start_sample = number * kBlockSamples;
  result.samples[0] = static_cast<float>(number);
  result.speech_probability = static_cast<float>(number - kDelay);  // Told of that block.
  return result;
}

/// The numbers of the blocks that came out, each checked to be whole and to have `told` of it.
class Taken {
 public:
  void operator()(const Block& block) {
    numbers.push_back(static_cast<int>(block.start_sample) / kBlockSamples);
    probabilities.push_back(block.speech_probability);
    EXPECT_EQ(block.samples[0], static_cast<float>(numbers.back()));
  }
  std::vector<int> numbers;
  std::vector<float> probabilities;
};

TEST(BlockDelay, GivesEveryBlockTheProbabilityThatWasToldOfIt) {
  BlockDelay delay;
  Taken taken;
  for (int number = 0; number < 100; ++number)
    delay.push(block(number), std::ref(taken));
  ASSERT_EQ(taken.numbers.size(), 100U - kDelay);
  for (std::size_t at = 0; at < taken.numbers.size(); ++at) {
    EXPECT_EQ(taken.numbers[at], static_cast<int>(at));
    EXPECT_EQ(taken.probabilities[at], static_cast<float>(at));
  }
}

TEST(BlockDelay, DrainsTheLastBlocksWithTheNewestProbability) {
  BlockDelay delay;
  Taken taken;
  for (int number = 0; number < 20; ++number)
    delay.push(block(number), std::ref(taken));
  delay.drain(std::ref(taken));
  ASSERT_EQ(taken.numbers.size(), 20U);
  for (std::size_t at = 20 - kDelay; at < 20; ++at) {
    EXPECT_EQ(taken.numbers[at], static_cast<int>(at));
    EXPECT_EQ(taken.probabilities[at], static_cast<float>(19 - kDelay));
  }
  delay.drain(std::ref(taken));
  EXPECT_EQ(taken.numbers.size(), 20U);
}

TEST(BlockDelay, GoesOnAfterADrain) {
  BlockDelay delay;
  Taken taken;
  for (int number = 0; number < 10; ++number)
    delay.push(block(number), std::ref(taken));
  delay.drain(std::ref(taken));
  for (int number = 10; number < 30; ++number)
    delay.push(block(number), std::ref(taken));
  ASSERT_EQ(taken.numbers.size(), 30U - kDelay);
  for (std::size_t at = 10; at < taken.numbers.size(); ++at)
    EXPECT_EQ(taken.probabilities[at], static_cast<float>(at));
}

}  // namespace
}  // namespace qylon::media

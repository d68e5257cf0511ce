#include "dsp/voice_activity.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/pcm.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/voice_signal.hpp"

namespace qylon::dsp {
namespace {

constexpr std::size_t kBlock = VoiceActivity::kBlockSamples;

std::vector<float> probabilities(VoiceActivity& activity, std::span<const float> signal) {
  std::vector<float> result;
  for (std::size_t at = 0; at + kBlock <= signal.size(); at += kBlock) {
    result.push_back(activity.process(std::span<const float, kBlock>(&signal[at], kBlock)));
  }
  return result;
}

std::vector<float> probabilities(std::span<const float> signal) {
  auto activity = *VoiceActivity::create();
  return probabilities(activity, signal);
}

float mean(std::span<const float> values) {
  float sum = 0.0F;
  for (const float value : values)
    sum += value;
  return sum / static_cast<float>(values.size());
}

TEST(VoiceActivity, HearsNothingInSilence) {
  const auto result = probabilities(std::vector<float>(16000 * 5));
  EXPECT_LT(*std::ranges::max_element(std::span(result).subspan(20)), 0.1F);
}

TEST(VoiceActivity, HearsNothingInSteadyNoiseOfAnyLevel) {
  for (const double level : {0.0005, 0.01, 0.3}) {
    const auto result = probabilities(testing::white_noise(16000 * 6, level));
    EXPECT_LT(mean(std::span(result).subspan(300)), 0.1F) << level;
  }
}

TEST(VoiceActivity, HearsNothingInMainsHum) {
  const auto result = probabilities(testing::sine(100.0, 16000.0, 16000 * 6, 0.1));
  EXPECT_LT(mean(std::span(result).subspan(300)), 0.1F);
}

TEST(VoiceActivity, HearsAVoiceAtAnyUsualLevel) {
  for (const float gain : {0.04F, 0.4F, 1.2F}) {
    auto signal = testing::white_noise(16000 * 6, 0.0024 * double{gain});
    const auto voice = test::voice_signal(0, 16000 * 3, 16000);
    for (std::size_t i = 0; i < voice.size(); ++i)
      signal[16000 * 3 + i] += gain * voice[i];
    const auto result = probabilities(signal);
    EXPECT_LT(mean(std::span(result).subspan(200, 100)), 0.2F) << gain;
    EXPECT_GT(mean(std::span(result).subspan(330, 270)), 0.8F) << gain;
  }
}

/// Real speech, 16-bit little-endian at 16 kHz, of Debian's pocketsphinx-testdata.
std::vector<float> recorded_speech() {
  std::ifstream file("/usr/share/pocketsphinx/test/data/goforward.raw", std::ios::binary);
  const std::string chars{std::istreambuf_iterator<char>(file), {}};
  std::vector<float> samples(chars.size() / 2);
  s16le_to_float({reinterpret_cast<const std::uint8_t*>(chars.data()), chars.size()}, samples);
  return samples;
}

TEST(VoiceActivity, HearsRecordedSpeechFifteenDecibelsAboveNoise) {
  const std::vector<float> speech = recorded_speech();
  if (speech.empty()) GTEST_SKIP() << "pocketsphinx-testdata is not installed";
  constexpr std::size_t kBefore = 16000 * 3;
  const double noise_rms = testing::rms(speech) * 0.1778;  // -15 dB
  // Uniform noise in +-a has a power of a^2 / 3.
  auto signal = testing::white_noise(kBefore + speech.size(), noise_rms * std::sqrt(3.0));
  for (std::size_t i = 0; i < speech.size(); ++i)
    signal[kBefore + i] += speech[i];
  const auto result = probabilities(signal);
  EXPECT_LT(mean(std::span(result).subspan(200, 100)), 0.1F);
  std::vector<float> loud;
  for (std::size_t at = 0; at + kBlock <= speech.size(); at += kBlock) {
    const auto block = std::span(speech).subspan(at, kBlock);
    if (testing::rms(block) > 0.7 * testing::rms(speech)) {
      loud.push_back(result.at((kBefore + at) / kBlock + VoiceActivity::kDelayBlocks));
    }
  }
  EXPECT_GT(mean(loud), 0.9F);
}

TEST(VoiceActivity, GivesProbabilitiesForAnyInput) {
  auto activity = *VoiceActivity::create();
  for (const double level : {1.0, 1e-20, 1e6, 0.0}) {
    for (const float p : probabilities(activity, testing::white_noise(8000, level))) {
      ASSERT_GE(p, 0.0F);
      ASSERT_LE(p, 1.0F);
    }
  }
}

TEST(VoiceActivity, StartsAfreshAfterReset) {
  const auto signal = testing::white_noise(16000, 0.1);
  auto activity = *VoiceActivity::create();
  const auto first = probabilities(activity, signal);
  activity.reset();
  EXPECT_EQ(probabilities(activity, signal), first);
}

}  // namespace
}  // namespace qylon::dsp

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

/// Something like a vowel sung in syllables: pulses at a gliding pitch through three formants, four
/// times a second on and off.
std::vector<float> syllables(std::size_t samples, double amplitude) {
  std::vector<float> voice(samples);
  double phase = 0.0;
  for (std::size_t i = 0; i < samples; ++i) {
    const double time_s = static_cast<double>(i) / 16000.0;
    const double pitch_hz = 120.0 + 25.0 * std::sin(2.0 * std::numbers::pi * 0.7 * time_s);
    phase += 2.0 * std::numbers::pi * pitch_hz / 16000.0;
    const double envelope = std::max(0.0, std::sin(2.0 * std::numbers::pi * 4.0 * time_s));
    const double shift = 1.0 + 0.2 * std::sin(2.0 * std::numbers::pi * 1.3 * time_s);
    double sum = 0.0;
    for (int k = 1; k * pitch_hz < 4000.0; ++k) {
      double gain = 0.0;
      for (const double formant_hz : {650.0 * shift, 1150.0 / shift, 2600.0}) {
        const double distance = (k * pitch_hz - formant_hz) / 130.0;
        gain += 650.0 / formant_hz / (1.0 + distance * distance);
      }
      sum += gain * std::sin(k * phase);
    }
    voice[i] = static_cast<float>(amplitude * envelope * sum);
  }
  return voice;
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
  for (const double amplitude : {0.003, 0.03, 0.1}) {
    auto signal = testing::white_noise(16000 * 6, amplitude * 0.03);
    const auto voice = syllables(16000 * 3, amplitude);
    for (std::size_t i = 0; i < voice.size(); ++i)
      signal[16000 * 3 + i] += voice[i];
    const auto result = probabilities(signal);
    EXPECT_LT(mean(std::span(result).subspan(200, 100)), 0.2F) << amplitude;
    // It sounds half of the time; the pauses of 125 ms belong to it, but no model can know at once.
    EXPECT_GT(mean(std::span(result).subspan(330, 270)), 0.5F) << amplitude;
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
      loud.push_back(result[(kBefore + at) / kBlock]);
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

#include "dsp/resampler.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <samplerate.h>

#include "tests/support/resampling.hpp"

namespace qylon::dsp {
namespace {

using testing::decibels;

using testing::answer;
using testing::make;
using testing::resample;
using Pair = testing::RatePair;

class EveryRatePair : public ::testing::TestWithParam<Pair> {};

TEST_P(EveryRatePair, PassesNineTenthsOfTheBandWithinAHundredthOfADecibel) {
  for (const double fraction : {0.02, 0.11, 0.27, 0.43, 0.61, 0.78, 0.85, 0.9}) {
    const double tone_hz = fraction * GetParam().nyquist_hz();
    const auto fit = testing::fit_tone(answer(GetParam(), tone_hz), tone_hz, GetParam().output_hz);
    EXPECT_NEAR(decibels(fit.amplitude), 0.0, 0.01) << tone_hz << " Hz";
    // What is not the tone itself is an image or an alias of it.
    EXPECT_LE(decibels(fit.residual_rms * std::sqrt(2.0)), -100.0) << tone_hz << " Hz";
  }
}

TEST_P(EveryRatePair, SuppressesEverythingFromTheNyquistFrequencyUp) {
  const double highest_hz = GetParam().input_hz / 2.0;
  for (const double fraction : {1.0, 1.01, 1.05, 1.13, 1.3, 1.7,  1.999, 2.0,  2.05, 2.1,  2.15,
                                2.2, 2.4,  2.9,  3.95, 4.0, 4.05, 4.3,   4.95, 5.0,  5.05, 5.9}) {
    const double tone_hz = fraction * GetParam().nyquist_hz();
    if (tone_hz >= highest_hz || GetParam().input_hz <= GetParam().output_hz) break;
    EXPECT_LE(decibels(testing::rms(answer(GetParam(), tone_hz)) * std::sqrt(2.0)), -100.0)
        << tone_hz << " Hz";
  }
}

TEST_P(EveryRatePair, GivesTheSameSamplesForAnyBlockSize) {
  const std::vector<float> input = testing::white_noise(7000);
  EXPECT_EQ(testing::resample_in_pieces(GetParam(), input), resample(GetParam(), input));
}

TEST_P(EveryRatePair, CountsOutputsExactly) {
  testing::expect_exact_counts(GetParam(), 300);
}

TEST_P(EveryRatePair, DelaysByItsLatencyWhichIsWholeAndShort) {
  const Resampler resampler = make(GetParam());
  const double latency = resampler.latency_samples();
  EXPECT_EQ(latency, std::round(latency));
  // Half of Kaiser's length for 103 dB over a tenth of the band: 3.31 / (0.1 * Nyquist). What comes
  // before the sharp filter has a transition of at least 0.6 * Nyquist.
  EXPECT_LE(latency / GetParam().output_hz,
            3.31 / GetParam().nyquist_hz() * (1.0 / 0.1 + 1.0 / 0.6) + 2.0 / GetParam().output_hz);
  const double tone_hz = 0.05 * GetParam().nyquist_hz();
  const auto samples = static_cast<std::size_t>(GetParam().input_hz / 5);
  auto output = resample(GetParam(), testing::sine(tone_hz, GetParam().input_hz, samples));
  const auto start = static_cast<std::size_t>(GetParam().output_hz / 20);
  const auto fit =
      testing::fit_tone(std::span(output).subspan(start), tone_hz, GetParam().output_hz);
  const double radians_per_sample = 2.0 * std::numbers::pi * tone_hz / GetParam().output_hz;
  const double expected_phase = radians_per_sample * (static_cast<double>(start) - latency);
  const double error = std::remainder(fit.phase_rad - expected_phase, 2.0 * std::numbers::pi);
  EXPECT_NEAR(error / radians_per_sample, 0.0, 1e-3) << "samples";
}

TEST_P(EveryRatePair, StartsAfreshAfterReset) {
  testing::expect_afresh_after_reset(GetParam());
}

std::vector<Pair> all_pairs() {
  std::vector<Pair> pairs;
  for (const int output : {16000, 48000}) {
    for (const int input : {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000}) {
      pairs.push_back({input, output});
    }
  }
  return pairs;
}

INSTANTIATE_TEST_SUITE_P(Resampler,
                         EveryRatePair,
                         ::testing::ValuesIn(all_pairs()),
                         testing::name_of);

TEST(Resampler, DelaysSpeechFrom48kHzByLessThanFiveMilliseconds) {
  EXPECT_LE(make({48000, 16000}).latency_samples() / 16000.0, 0.005);
  EXPECT_LE(make({44100, 16000}).latency_samples() / 16000.0, 0.005);
}

TEST(Resampler, TurnsTwentyMillisecondsAt48kHzInto320Samples) {
  Resampler resampler = make({48000, 16000});
  const std::vector<float> input(960);
  std::vector<float> output(320);
  for (int block = 0; block < 5; ++block)
    EXPECT_EQ(resampler.process(input, output), 320U);
}

TEST(Resampler, PassesEqualRatesUntouched) {
  const std::vector<float> input = testing::white_noise(500);
  EXPECT_EQ(resample({16000, 16000}, input), input);
}

TEST(Resampler, RefusesRatesOutsideItsRanges) {
  for (const Pair pair :
       {Pair{0, 16000}, {-8000, 16000}, {3999, 16000}, {192001, 16000}, {48000, 44100}}) {
    const auto resampler =
        Resampler::create({.input_rate_hz = pair.input_hz, .output_rate_hz = pair.output_hz});
    ASSERT_FALSE(resampler);
    EXPECT_EQ(resampler.error().code, ErrorCode::kInvalidArgument);
  }
}

/// A chord of 30 tones up to 0.85 of the lower Nyquist frequency.
std::vector<float> chord(const Pair& pair) {
  std::vector<float> sum(static_cast<std::size_t>(pair.input_hz) / 2);
  for (int tone = 1; tone <= 30; ++tone) {
    const double tone_hz = 0.85 * pair.nyquist_hz() * tone / 30.0 + 0.37 * tone;
    const auto part = testing::sine(tone_hz, pair.input_hz, sum.size(), 1.0 / 30.0);
    for (std::size_t n = 0; n < sum.size(); ++n)
      sum[n] += part[n];
  }
  return sum;
}

TEST(Resampler, AgreesWithTheBestConverterOfLibsamplerate) {
  for (const Pair pair : {Pair{48000, 16000}, {44100, 16000}, {8000, 16000}, {22050, 48000}}) {
    const std::vector<float> input = chord(pair);
    const std::vector<float> ours = resample(pair, input);
    std::vector<float> theirs(ours.size() + 100);
    SRC_DATA data{};
    data.data_in = input.data();
    data.input_frames = static_cast<long>(input.size());
    data.data_out = theirs.data();
    data.output_frames = static_cast<long>(theirs.size());
    data.src_ratio = static_cast<double>(pair.output_hz) / pair.input_hz;
    ASSERT_EQ(src_simple(&data, SRC_SINC_BEST_QUALITY, 1), 0);
    const auto latency = static_cast<std::size_t>(make(pair).latency_samples());
    const auto edge = static_cast<std::size_t>(pair.output_hz / 20);
    std::vector<float> difference;
    for (std::size_t n = edge; n + edge < ours.size(); ++n) {
      difference.push_back(ours[n] - theirs[n - latency]);
    }
    // Libsamplerate answers at times rounded to its table's 1/2381 of a sample: about -97 dB.
    EXPECT_LE(decibels(testing::rms(difference) / testing::rms(ours)), -90.0)
        << pair.input_hz << " to " << pair.output_hz;
  }
}

TEST(Resampler, SharesItsTablesSafelyBetweenThreads) {
  const std::vector<float> input = testing::white_noise(2000);
  const std::vector<float> expected = resample({32000, 48000}, input);
  std::vector<std::jthread> threads;
  std::vector<std::vector<float>> results(4);
  for (std::vector<float>& result : results) {
    threads.emplace_back([&result, &input] {
      make({11025, 48000});
      result = resample({32000, 48000}, input);
    });
  }
  threads.clear();
  for (const std::vector<float>& result : results)
    EXPECT_EQ(result, expected);
}

}  // namespace
}  // namespace qylon::dsp

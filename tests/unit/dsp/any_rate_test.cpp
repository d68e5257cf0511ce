#include "dsp/any_rate.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/resampler.hpp"
#include "tests/support/signals.hpp"

namespace qylon::dsp {
namespace {

using testing::decibels;

struct Pair {
  int input_hz;
  int output_hz;
  double nyquist_hz() const { return std::min(input_hz, output_hz) / 2.0; }
};

std::vector<float> resample(const Pair& pair, std::span<const float> input) {
  auto resampler = *Resampler::create({pair.input_hz, pair.output_hz});
  std::vector<float> output(resampler.output_samples_max(input.size()));
  output.resize(resampler.process(input, output));
  return output;
}

std::vector<float> answer(const Pair& pair, double tone_hz) {
  const auto samples = static_cast<std::size_t>(pair.input_hz / 5);
  std::vector<float> output = resample(pair, testing::sine(tone_hz, pair.input_hz, samples));
  output.erase(output.begin(), output.begin() + pair.output_hz / 20);
  return output;
}

class RarePair : public ::testing::TestWithParam<Pair> {};

TEST_P(RarePair, PassesTheBandWithinATenthOfADecibel) {
  for (const double fraction : {0.02, 0.27, 0.61, 0.85}) {
    const double tone_hz = fraction * GetParam().nyquist_hz();
    const auto fit = testing::fit_tone(answer(GetParam(), tone_hz), tone_hz, GetParam().output_hz);
    EXPECT_NEAR(decibels(fit.amplitude), 0.0, 0.1) << tone_hz << " Hz";
    EXPECT_LE(decibels(fit.residual_rms * std::sqrt(2.0)), -95.0) << tone_hz << " Hz";
  }
}

TEST_P(RarePair, SuppressesWhatLiesAboveTheBand) {
  for (const double fraction : {1.1, 1.3, 1.7, 2.05, 2.9, 5.9}) {
    const double tone_hz = fraction * GetParam().nyquist_hz();
    if (tone_hz >= GetParam().input_hz / 2.0) break;
    EXPECT_LE(decibels(testing::rms(answer(GetParam(), tone_hz)) * std::sqrt(2.0)), -95.0)
        << tone_hz << " Hz";
  }
}

TEST_P(RarePair, GivesTheSameSamplesForAnyBlockSize) {
  const std::vector<float> input = testing::white_noise(7000);
  const std::vector<float> whole = resample(GetParam(), input);
  auto resampler = *Resampler::create({GetParam().input_hz, GetParam().output_hz});
  std::vector<float> pieces;
  std::vector<float> room(1013 * 13);
  std::span<const float> left = input;
  for (std::size_t size = 1; !left.empty(); size = size * 3 % 1013) {
    const auto block = left.first(std::min(size, left.size()));
    left = left.subspan(block.size());
    const std::size_t written = resampler.process(block, room);
    pieces.insert(pieces.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(written));
  }
  ASSERT_EQ(pieces.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i)
    ASSERT_NEAR(pieces[i], whole[i], 1e-6F) << i;
}

TEST_P(RarePair, CountsOutputsExactly) {
  const std::int64_t up = GetParam().output_hz;
  const std::int64_t down = GetParam().input_hz;
  auto resampler = *Resampler::create({GetParam().input_hz, GetParam().output_hz});
  std::vector<float> room(331 * 13);
  const std::vector<float> input(331);
  std::int64_t taken = 0;
  std::int64_t given = 0;
  for (int block = 0; block < 2000; ++block) {
    given += static_cast<std::int64_t>(resampler.process(input, room));
    taken += 331;
    ASSERT_EQ(given, (taken * up + down - 1) / down) << "after " << taken;
  }
}

TEST_P(RarePair, DelaysByItsLatency) {
  const double tone_hz = 0.05 * GetParam().nyquist_hz();
  const auto output = answer(GetParam(), tone_hz);
  const auto fit = testing::fit_tone(output, tone_hz, GetParam().output_hz);
  const double latency =
      Resampler::create({GetParam().input_hz, GetParam().output_hz})->latency_samples();
  const double radians_per_sample = 2.0 * std::numbers::pi * tone_hz / GetParam().output_hz;
  const double expected_phase = radians_per_sample * (GetParam().output_hz / 20 - latency);
  EXPECT_NEAR(std::remainder(fit.phase_rad - expected_phase, 2.0 * std::numbers::pi), 0.0, 0.001);
}

TEST_P(RarePair, StartsAfreshAfterReset) {
  const std::vector<float> input = testing::white_noise(1500);
  auto resampler = *Resampler::create({GetParam().input_hz, GetParam().output_hz});
  std::vector<float> first(resampler.output_samples_max(input.size()));
  std::vector<float> second(first.size());
  const std::size_t written = resampler.process(input, first);
  resampler.reset();
  EXPECT_EQ(resampler.process(input, second), written);
  EXPECT_EQ(first, second);
}

INSTANTIATE_TEST_SUITE_P(Each,
                         RarePair,
                         ::testing::Values(Pair{4000, 16000},
                                           Pair{5512, 48000},
                                           Pair{22254, 16000},
                                           Pair{37800, 16000},
                                           Pair{47999, 48000},
                                           Pair{48003, 16000},
                                           Pair{88200, 48000},
                                           Pair{192000, 16000}),
                         [](const auto& each) {
                           return std::to_string(each.param.input_hz) + "to" +
                                  std::to_string(each.param.output_hz);
                         });

}  // namespace
}  // namespace qylon::dsp

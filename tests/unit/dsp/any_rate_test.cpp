#include "dsp/any_rate.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/resampling.hpp"

namespace qylon::dsp {
namespace {

using testing::decibels;

using testing::answer;
using Pair = testing::RatePair;

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
  const std::vector<float> whole = testing::resample(GetParam(), input);
  const std::vector<float> pieces = testing::resample_in_pieces(GetParam(), input);
  ASSERT_EQ(pieces.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i)
    ASSERT_NEAR(pieces[i], whole[i], 1e-6F) << i;
}

TEST_P(RarePair, CountsOutputsExactly) {
  testing::expect_exact_counts(GetParam(), 2000);
}

TEST_P(RarePair, DelaysByItsLatency) {
  const double tone_hz = 0.05 * GetParam().nyquist_hz();
  const auto output = answer(GetParam(), tone_hz);
  const auto fit = testing::fit_tone(output, tone_hz, GetParam().output_hz);
  const double latency = testing::make(GetParam()).latency_samples();
  const double radians_per_sample = 2.0 * std::numbers::pi * tone_hz / GetParam().output_hz;
  const double expected_phase = radians_per_sample * (GetParam().output_hz / 20 - latency);
  EXPECT_NEAR(std::remainder(fit.phase_rad - expected_phase, 2.0 * std::numbers::pi), 0.0, 0.001);
}

TEST_P(RarePair, StartsAfreshAfterReset) {
  testing::expect_afresh_after_reset(GetParam());
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
                         testing::name_of);

}  // namespace
}  // namespace qylon::dsp

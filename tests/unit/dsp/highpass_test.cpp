#include "dsp/highpass.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/signals.hpp"

namespace qylon::dsp {
namespace {

double gain_db(const Highpass::Options& options, double tone_hz) {
  auto filter = *Highpass::create(options);
  const auto rate_hz = static_cast<double>(options.sample_rate_hz);
  auto signal = testing::sine(tone_hz, rate_hz, static_cast<std::size_t>(2.0 * rate_hz));
  filter.process(signal);
  const auto steady = std::span(signal).subspan(signal.size() / 2);
  return testing::decibels(testing::fit_tone(steady, tone_hz, rate_hz).amplitude);
}

/// |H|^2 = 1 / (1 + (fc / f)^4) for Butterworth of order 2, at the frequencies that the bilinear
/// transform warps to.
double butterworth_db(double tone_hz, double cutoff_hz, double rate_hz) {
  const double ratio = std::tan(std::numbers::pi * cutoff_hz / rate_hz) /
                       std::tan(std::numbers::pi * tone_hz / rate_hz);
  return -10.0 * std::log10(1.0 + std::pow(ratio, 4.0));
}

TEST(Highpass, IsThreeDecibelsDownAtItsCutoff) {
  EXPECT_NEAR(gain_db({}, 80.0), -3.0103, 0.001);
}

TEST(Highpass, FollowsButterworthAtEveryFrequency) {
  for (const double tone_hz : {20.0, 50.0, 100.0, 200.0, 1000.0, 7000.0}) {
    EXPECT_NEAR(gain_db({}, tone_hz), butterworth_db(tone_hz, 80.0, 16000.0), 0.001) << tone_hz;
    const Highpass::Options wide = {.sample_rate_hz = 48000.0F, .cutoff_hz = 120.0F};
    EXPECT_NEAR(gain_db(wide, tone_hz), butterworth_db(tone_hz, 120.0, 48000.0), 0.001) << tone_hz;
  }
}

TEST(Highpass, RemovesAnOffset) {
  auto filter = *Highpass::create({});
  std::vector<float> signal(16000, 0.5F);
  filter.process(signal);
  EXPECT_NEAR(signal.back(), 0.0F, 1e-7F);
}

TEST(Highpass, GivesTheSameSamplesForAnyBlockSize) {
  auto whole = testing::white_noise(1000);
  auto split = whole;
  auto a = *Highpass::create({});
  auto b = *Highpass::create({});
  a.process(whole);
  std::span<float> left = split;
  for (std::size_t size = 1; !left.empty(); size = size * 2 + 1) {
    b.process(left.first(std::min(size, left.size())));
    left = left.subspan(std::min(size, left.size()));
  }
  EXPECT_EQ(whole, split);
}

TEST(Highpass, StartsAfreshAfterReset) {
  auto first = testing::white_noise(200);
  auto second = first;
  auto filter = *Highpass::create({});
  filter.process(first);
  filter.reset();
  filter.process(second);
  EXPECT_EQ(first, second);
}

TEST(Highpass, FallsSilentInsteadOfDecayingForEver) {
  auto filter = *Highpass::create({});
  std::vector<float> signal = testing::white_noise(160);
  filter.process(signal);
  for (int block = 0; block < 300; ++block) {
    signal.assign(160, 0.0F);
    filter.process(signal);
  }
  EXPECT_EQ(signal.back(), 0.0F);  // A denormal would cost ten times as much per sample.
}

TEST(Highpass, RefusesACutoffOutsideTheBand) {
  for (const float cutoff_hz : {-1.0F, 0.0F, 8000.0F, std::nanf("")}) {
    const auto filter = Highpass::create({.sample_rate_hz = 16000.0F, .cutoff_hz = cutoff_hz});
    ASSERT_FALSE(filter);
    EXPECT_EQ(filter.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace qylon::dsp

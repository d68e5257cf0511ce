#include "dsp/loudness.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/signals.hpp"

namespace qylon::dsp {
namespace {

constexpr double kRateHz = 16000.0;

/// Plays a tone whose loudness is `lufs`: BS.1770-4 defines a mono 997 Hz sine of full scale as
/// -3.01 LKFS. Returns the gain after its last block.
float play(Loudness& loudness, double lufs, double seconds, double tone_hz = 997.0) {
  const double amplitude = std::pow(10.0, (lufs + 3.01) / 20.0);
  const auto signal =
      testing::sine(tone_hz, kRateHz, static_cast<std::size_t>(seconds * kRateHz), amplitude);
  float gain_db = 0.0F;
  for (std::size_t at = 0; at + 160 <= signal.size(); at += 160) {
    gain_db = loudness.process(std::span(signal).subspan(at, 160));
  }
  return gain_db;
}

Loudness make(const Loudness::Options& options) {
  return *Loudness::create(options);
}

/// Without forgetting, as EBU Tech 3341 measures a programme.
constexpr Loudness::Options kProgramme = {.memory_s = 1e8F};

TEST(Loudness, OfAFullScaleSineIsMinusThree) {
  Loudness loudness = make({});
  play(loudness, -3.01, 1.0);
  EXPECT_NEAR(loudness.momentary_lufs(), -3.01F, 0.1F);
  EXPECT_NEAR(loudness.gated_lufs(), -3.01F, 0.1F);
}

TEST(Loudness, WeighsFrequenciesAsTheStandardDoes) {
  // K-weighting of BS.1770-4 relative to 997 Hz, from its published 48 kHz coefficients (freqz);
  // at 16 kHz the bilinear transform bends the shelf by up to 0.2 dB.
  for (const auto& [tone_hz, gain_db] :
       {std::pair{100.0, -1.82}, {500.0, -0.65}, {2000.0, 2.38}, {4000.0, 3.28}}) {
    Loudness loudness = make({});
    play(loudness, -23.0, 2.0, tone_hz);
    EXPECT_NEAR(loudness.momentary_lufs(), -23.0 + gain_db, 0.2) << tone_hz;
  }
}

TEST(Loudness, MeetsEbuTech3341Cases1To5) {
  // Loudness and seconds of each passage of the test signal, and what a meter must show +-0.1.
  struct Case {
    std::vector<std::pair<double, double>> passages;
    float expected;
  };
  for (const Case& test :
       {Case{{{-23.0, 20.0}}, -23.0F},
        Case{{{-33.0, 20.0}}, -33.0F},
        Case{{{-36.0, 10.0}, {-23.0, 60.0}, {-36.0, 10.0}}, -23.0F},
        Case{{{-72.0, 10.0}, {-36.0, 10.0}, {-23.0, 60.0}, {-36.0, 10.0}, {-72.0, 10.0}}, -23.0F},
        Case{{{-26.0, 20.0}, {-20.0, 20.1}, {-26.0, 20.0}}, -23.0F}}) {
    Loudness loudness = make(kProgramme);
    for (const auto& [lufs, seconds] : test.passages)
      play(loudness, lufs, seconds);
    EXPECT_NEAR(loudness.gated_lufs(), test.expected, 0.1F);
  }
}

TEST(Loudness, BringsAQuietVoiceToTheTarget) {
  Loudness loudness = make({.target_lufs = -23.0F});
  EXPECT_NEAR(play(loudness, -35.0, 10.0), 12.0F, 0.2F);
}

TEST(Loudness, FollowsTheNextVoiceWithinItsMemory) {
  Loudness loudness = make({.target_lufs = -23.0F, .memory_s = 10.0F});
  play(loudness, -15.0, 60.0);
  // 20 LU quieter. After 9 time constants the loud part weighs exp(-9) * 100 = 1.2 %: 0.05 dB.
  EXPECT_NEAR(play(loudness, -35.0, 90.0), 12.0F, 0.2F);
}

TEST(Loudness, KeepsItsGainThroughSilence) {
  Loudness loudness = make({});
  const float speaking_db = play(loudness, -33.0, 10.0);
  const std::vector<float> silence(1600);
  for (int step = 0; step < 10; ++step)
    loudness.process(silence);
  const float early_db = loudness.process(silence);
  EXPECT_NEAR(early_db, speaking_db, 0.2F);  // Windows half in silence count a little.
  float later_db = 0.0F;
  for (int step = 0; step < 600; ++step)
    later_db = loudness.process(silence);
  EXPECT_EQ(later_db, early_db);
  EXPECT_EQ(loudness.momentary_lufs(), -100.0F);
}

TEST(Loudness, MovesItsGainNoFasterThanItsSlew) {
  Loudness loudness = make({.slew_db_per_s = 3.0F});
  float last_db = 0.0F;
  for (int block = 0; block < 200; ++block) {
    const float gain_db = play(loudness, -40.0, 0.01);
    EXPECT_LE(std::abs(gain_db - last_db), 0.03001F);
    last_db = gain_db;
  }
}

TEST(Loudness, LimitsItsGain) {
  Loudness loudness = make({.gain_db_max = 6.0F});
  EXPECT_EQ(play(loudness, -60.0, 20.0), 6.0F);
  EXPECT_EQ(play(loudness, -3.01, 30.0), -6.0F);
}

TEST(Loudness, StartsAfreshAfterReset) {
  Loudness loudness = make({});
  play(loudness, -10.0, 5.0);
  loudness.reset();
  EXPECT_EQ(loudness.gated_lufs(), -100.0F);
  EXPECT_EQ(loudness.process(std::vector<float>(160)), 0.0F);
}

TEST(Loudness, RefusesOptionsOutsideTheirRange) {
  const float not_a_number = std::nanf("");
  for (const Loudness::Options& options : {Loudness::Options{.target_lufs = 0.0F},
                                           Loudness::Options{.target_lufs = not_a_number},
                                           Loudness::Options{.gain_db_max = -1.0F},
                                           Loudness::Options{.slew_db_per_s = 0.0F},
                                           Loudness::Options{.memory_s = 0.0F}}) {
    const auto loudness = Loudness::create(options);
    ASSERT_FALSE(loudness);
    EXPECT_EQ(loudness.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace qylon::dsp

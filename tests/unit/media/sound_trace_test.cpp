#include "media/sound_trace.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/synthetic_voices.hpp"

namespace qylon::media {
namespace {

constexpr std::int64_t kRows = 80;  // 1.6 s.
constexpr std::int64_t kLagMax = 15;

void push_all(SoundTrace& trace, const std::vector<float>& samples, std::int64_t at = 0) {
  for (std::size_t i = 0; i + kBlockSamples <= samples.size(); i += kBlockSamples)
    trace.push(at + static_cast<std::int64_t>(i),
               std::span<const float, kBlockSamples>(samples.data() + i, kBlockSamples));
}

/// `samples`, so many milliseconds later and so many decibels louder.
std::vector<float> moved(const std::vector<float>& samples, int late_ms, float gain_db) {
  std::vector<float> out(samples.size());
  const auto late = static_cast<std::size_t>(late_ms * 16);
  const float gain = std::pow(10.0F, gain_db / 20);
  for (std::size_t i = late; i < out.size(); ++i)
    out[i] = gain * samples[i - late];
  return out;
}

std::vector<float> speech(double pitch_hz, unsigned seed) {
  return diarization::synthetic_speech(5, pitch_hz, 1.0, seed);
}

TEST(SoundTrace, ALateAndQuietCopyIsFoundWithItsLagAndItsGain) {
  const std::vector<float> voice = speech(120, 1);
  SoundTrace near;
  SoundTrace far;
  push_all(near, voice);
  push_all(far, moved(voice, 120, -12));
  const auto match = match_sound({far, 100, kRows}, near, 100, kLagMax);
  ASSERT_TRUE(match);
  EXPECT_GT(match->likeness, 0.95F);
  EXPECT_EQ(match->lag, 6);
  EXPECT_NEAR(match->gain_db, -12, 1);
}

TEST(SoundTrace, AnotherVoiceIsNotAlike) {
  SoundTrace ann;
  SoundTrace ben;
  push_all(ann, speech(120, 1));
  push_all(ben, speech(210, 2));
  const auto match = match_sound({ann, 100, kRows}, ben, 100, kLagMax);
  ASSERT_TRUE(match);
  EXPECT_LT(match->likeness, 0.55F);
}

TEST(SoundTrace, WhatAnotherTrackHasNotHeardYetIsNotFound) {
  SoundTrace near;
  SoundTrace far;
  push_all(near, speech(120, 1));
  EXPECT_FALSE(match_sound({near, 100, kRows}, far, 100, kLagMax));
}

TEST(SoundTrace, AJumpIsSilenceOfItsLength) {
  SoundTrace trace;
  const std::vector<float> voice = speech(120, 1);
  push_all(trace, voice);
  push_all(trace, voice, 6 * kPipelineRateHz);
  EXPECT_EQ(trace.at(275)[3], -100);  // 5.5 s.
  EXPECT_EQ(trace.begin(), 0);
  EXPECT_NEAR(static_cast<double>(trace.end()), 550, 2);
}

TEST(SoundTrace, SixtySecondsAreKept) {
  SoundTrace trace;
  const std::vector<float> second(kPipelineRateHz);
  for (int i = 0; i < 70; ++i)
    push_all(trace, second, static_cast<std::int64_t>(i) * kPipelineRateHz);
  EXPECT_EQ(trace.end() - trace.begin(), 3000);
  EXPECT_NEAR(static_cast<double>(trace.end()), 3500, 2);
}

}  // namespace
}  // namespace qylon::media

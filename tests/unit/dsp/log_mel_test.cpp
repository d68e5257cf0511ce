#include "dsp/log_mel.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/signals.hpp"

namespace qylon::dsp {
namespace {

LogMel make(const LogMel::Options& options) {
  auto mel = LogMel::create(options);
  EXPECT_TRUE(mel) << (mel ? "" : mel.error().message);
  return *std::move(mel);
}

std::vector<float> three_tones(std::size_t samples) {
  std::vector<float> signal(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    const auto n = static_cast<double>(i);
    const double turn = 2.0 * std::numbers::pi * n / 16000.0;
    signal[i] = static_cast<float>(0.3 * std::sin(220.0 * turn) + 0.2 * std::sin(1870.0 * turn) +
                                   0.1 * std::sin(5300.0 * turn + 0.002 * n));
  }
  return signal;
}

TEST(LogMel, ReproducesPythonSpeechFeatures) {
  // 10 * log10(max(fbank(three_tones, nfilt=40), 1e-10)) computed in NumPy, frames 0, 2 and 4 (the
  // last, padded with zeros), bands 0, 1, 3, 9, 17, 25, 33, 39.
  const std::size_t bands[] = {0, 1, 3, 9, 17, 25, 33, 39};
  const float expected[3][8] = {
      {-42.8044F, -43.2595F, -14.9657F, -39.6822F, -28.5228F, -27.1256F, -10.5388F, -25.7964F},
      {-34.2443F, -36.2065F, -14.7283F, -38.9323F, -27.7312F, -26.2451F, -10.0749F, -38.4133F},
      {-29.4142F, -26.9327F, -14.7379F, -35.7515F, -25.4237F, -28.1151F, -10.2463F, -35.4783F}};
  LogMel mel = make(LogMel::Options::python_speech_features());
  const std::vector<float> rows = mel.batch(three_tones(1000), true);
  ASSERT_EQ(rows.size(), 5U * 40U);
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t i = 0; i < 8; ++i) {
      // Four digits were printed; float FFTs leave about 1e-3 dB in bands 30 dB below the tones.
      EXPECT_NEAR(rows[2 * row * 40 + bands[i]], expected[row][i], 2e-3F)
          << "frame " << 2 * row << " band " << bands[i];
    }
  }
}

/// python_speech_features.fbank by its definition, in double.
std::vector<double> naive_fbank(std::span<const float> frame, float before) {
  std::vector<double> emphasised;
  for (const float sample : frame) {
    emphasised.push_back(static_cast<double>(sample) - 0.97 * static_cast<double>(before));
    before = sample;
  }
  std::vector<double> power(257);
  for (std::size_t k = 0; k < power.size(); ++k) {
    double re = 0.0;
    double im = 0.0;
    for (std::size_t n = 0; n < emphasised.size(); ++n) {
      const double angle = 2.0 * std::numbers::pi * static_cast<double>(k * n % 512) / 512.0;
      re += emphasised[n] * std::cos(angle);
      im -= emphasised[n] * std::sin(angle);
    }
    power[k] = (re * re + im * im) / 512.0;
  }
  std::vector<double> corners;
  for (int i = 0; i < 42; ++i) {
    const double mel = 2595.0 * std::log10(1.0 + 8000.0 / 700.0) * i / 41.0;
    corners.push_back(std::floor(513.0 * 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0) / 16000.0));
  }
  std::vector<double> energies(40);
  for (std::size_t j = 0; j < 40; ++j) {
    for (std::size_t k = 0; k < 257; ++k) {
      const auto bin = static_cast<double>(k);
      if (bin >= corners[j] && bin < corners[j + 1]) {
        energies[j] += power[k] * (bin - corners[j]) / (corners[j + 1] - corners[j]);
      } else if (bin >= corners[j + 1] && bin < corners[j + 2]) {
        energies[j] += power[k] * (corners[j + 2] - bin) / (corners[j + 2] - corners[j + 1]);
      }
    }
  }
  return energies;
}

TEST(LogMel, FollowsTheDefinitionOnNoiseToATenThousandth) {
  const std::vector<float> noise = testing::white_noise(2000, 0.3);
  LogMel mel = make(LogMel::Options::python_speech_features());
  const std::vector<float> rows = mel.batch(noise, false);
  ASSERT_EQ(rows.size(), 11U * 40U);
  for (std::size_t frame = 0; frame < 11; ++frame) {
    const float before = frame == 0 ? 0.0F : noise[160 * frame - 1];
    const auto energies = naive_fbank(std::span(noise).subspan(160 * frame, 400), before);
    for (std::size_t band = 0; band < 40; ++band) {
      // 1e-4 in natural log.
      EXPECT_NEAR(rows[frame * 40 + band], 10.0 * std::log10(energies[band]), 4.3e-4)
          << "frame " << frame << " band " << band;
    }
  }
}

TEST(LogMel, StreamsTheSameFramesForAnyBlockSize) {
  const std::vector<float> noise = testing::white_noise(5000);
  LogMel mel = make({});
  const std::vector<float> whole = mel.batch(noise, false);
  std::vector<float> pieces;
  std::span<const float> left = noise;
  for (std::size_t size = 1; !left.empty(); size = size * 5 % 883) {
    const auto block = left.first(std::min(size, left.size()));
    mel.push(block, [&pieces](std::span<const float> frame) {
      pieces.insert(pieces.end(), frame.begin(), frame.end());
    });
    left = left.subspan(block.size());
  }
  EXPECT_EQ(pieces, whole);
}

TEST(LogMel, CountsFramesAsItMakesThem) {
  LogMel mel = make({});
  for (const std::size_t samples : {0U, 1U, 399U, 400U, 401U, 559U, 560U, 561U, 1600U}) {
    const std::vector<float> signal(samples);
    EXPECT_EQ(mel.batch(signal, false).size(), 40 * LogMel::frame_count(samples, false));
    EXPECT_EQ(mel.batch(signal, true).size(), 40 * LogMel::frame_count(samples, true));
  }
  EXPECT_EQ(LogMel::frame_count(400, false), 1U);
  EXPECT_EQ(LogMel::frame_count(559, false), 1U);
  EXPECT_EQ(LogMel::frame_count(560, false), 2U);
  EXPECT_EQ(LogMel::frame_count(401, true), 2U);
  EXPECT_EQ(LogMel::frame_count(1, true), 1U);
}

TEST(LogMel, PutsAToneIntoItsBand) {
  // Centres lie evenly on the mel axis: 1000 Hz is 999.99 mel, and (band + 1) of 41 steps between
  // 31.7 mel (20 Hz) and 2840.0 mel (8000 Hz) is closest for band 13.
  LogMel mel = make({.window = LogMel::Window::kHann});
  const auto rows = mel.batch(testing::sine(1000.0, 16000.0, 1600), false);
  const auto frame = std::span(rows).subspan(3 * 40, 40);
  EXPECT_EQ(std::ranges::max_element(frame) - frame.begin(), 13);
}

TEST(LogMel, FloorsSilence) {
  LogMel natural = make({.power_min = 1e-10F});
  EXPECT_NEAR(natural.batch(std::vector<float>(400), false)[5], std::log(1e-10F), 1e-4F);
  LogMel decibel = make(LogMel::Options::python_speech_features());
  EXPECT_NEAR(decibel.batch(std::vector<float>(400), false)[5], -100.0F, 1e-4F);
}

TEST(LogMel, RefusesOptionsOutsideTheirRange) {
  for (const LogMel::Options& options : {LogMel::Options{.mels = 3},
                                         LogMel::Options{.mels = 129},
                                         LogMel::Options{.f_min_hz = -1.0F},
                                         LogMel::Options{.f_min_hz = 500.0F, .f_max_hz = 400.0F},
                                         LogMel::Options{.f_max_hz = 8001.0F},
                                         LogMel::Options{.pre_emphasis = 1.0F},
                                         LogMel::Options{.power_min = 0.0F}}) {
    const auto mel = LogMel::create(options);
    ASSERT_FALSE(mel);
    EXPECT_EQ(mel.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(LogMel, RefusesBandsNarrowerThanABin) {
  const auto mel = LogMel::create({.mels = 128});
  ASSERT_FALSE(mel);
  EXPECT_NE(mel.error().message.find("holds no FFT bin"), std::string::npos);
}

}  // namespace
}  // namespace qylon::dsp

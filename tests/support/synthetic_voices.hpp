#pragma once
/// Unit vectors around fixed directions, for tests of clustering; and sounds that differ as voices
/// do, in pitch and formants.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

namespace qylon::diarization {

class SyntheticVoices {
 public:
  SyntheticVoices(int size, unsigned seed) : size_(size), random_(seed) {}

  /// A random direction: two of them are nearly at right angles when size is large.
  std::vector<float> direction() { return unit(noise()); }

  /// A point at about `cosine` to the direction.
  std::vector<float> near(const std::vector<float>& direction, float cosine) {
    std::vector<float> out = unit(noise());
    const float aside = std::sqrt(1.0F - cosine * cosine);
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = aside * out[i] + cosine * direction[i];
    return unit(out);
  }

 private:
  std::vector<float> noise() {
    std::normal_distribution<float> normal;
    std::vector<float> out(static_cast<std::size_t>(size_));
    for (float& value : out)
      value = normal(random_);
    return out;
  }
  static std::vector<float> unit(std::vector<float> x) {
    float square = 0;
    for (const float value : x)
      square += value * value;
    for (float& value : x)
      value /= std::sqrt(square);
    return x;
  }

  int size_;
  std::mt19937 random_;
};

/// A vowel-like sound that changes its vowel five times a second: a pulse train with wandering
/// pitch through three two-pole resonators (G. Fant, "Acoustic theory of speech production").
inline std::vector<float> synthetic_voice(double seconds, double pitch_hz, double formant_scale) {
  constexpr double kRate = 16000;
  constexpr double kVowels[5][3] = {
      {730, 1090, 2440}, {270, 2290, 3010}, {300, 870, 2240}, {530, 1840, 2480}, {570, 840, 2410}};
  const auto count = static_cast<std::size_t>(seconds * kRate);
  std::vector<float> out(count);
  double state[3][2] = {};
  double phase = 0;
  for (std::size_t n = 0; n < count; ++n) {
    const double time = static_cast<double>(n) / kRate;
    const double* vowel = kVowels[static_cast<std::size_t>(time * 5) % 5];
    phase += pitch_hz * (1 + 0.1 * std::sin(2 * std::numbers::pi * 3 * time)) / kRate;
    double sample = 0;
    if (phase >= 1) {
      phase -= 1;
      sample = 1;
    }
    for (int k = 0; k < 3; ++k) {
      const double radius = std::exp(-std::numbers::pi * (60 + 40 * k) / kRate);
      const double angle = 2 * std::numbers::pi * vowel[k] * formant_scale / kRate;
      const double next =
          sample + 2 * radius * std::cos(angle) * state[k][0] - radius * radius * state[k][1];
      state[k][1] = state[k][0];
      state[k][0] = next;
      sample = next * (1 - radius);
    }
    out[n] = static_cast<float>(sample);
  }
  return out;
}

/// The same in syllables of uneven length and loudness, with pauses, at -26 dBFS: no two stretches
/// of it are alike, nor two seeds.
inline std::vector<float> synthetic_speech(double seconds,
                                           double pitch_hz,
                                           double formant_scale,
                                           unsigned seed) {
  std::vector<float> out = synthetic_voice(seconds, pitch_hz, formant_scale);
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::size_t> length(1600, 5600);
  std::uniform_real_distribution<float> loudness(-0.3F, 1.0F);
  double square = 0;
  for (std::size_t i = 0; i < out.size();) {
    const std::size_t end = std::min(out.size(), i + length(random));
    const float level = std::max(0.003F, loudness(random));
    for (; i < end; ++i) {
      out[i] *= level;
      square += static_cast<double>(out[i] * out[i]);
    }
  }
  const auto gain = static_cast<float>(0.05 / std::sqrt(square / static_cast<double>(out.size())));
  for (float& sample : out)
    sample *= gain;
  return out;
}

}  // namespace qylon::diarization

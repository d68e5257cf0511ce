#pragma once
/// Signals that tests synthesise, and what they measure on them.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

namespace qylon::testing {

/// amplitude * sin(2 pi frequency / rate * n), computed in double.
inline std::vector<float> sine(double frequency_hz,
                               double rate_hz,
                               std::size_t samples,
                               double amplitude = 1.0) {
  std::vector<float> signal(samples);
  for (std::size_t n = 0; n < samples; ++n) {
    const double turns = frequency_hz / rate_hz * static_cast<double>(n);
    signal[n] = static_cast<float>(amplitude * std::sin(2.0 * std::numbers::pi * turns));
  }
  return signal;
}

/// The same white noise on every machine, uniform in [-amplitude, amplitude).
inline std::vector<float> white_noise(std::size_t samples,
                                      double amplitude = 1.0,
                                      std::uint64_t seed = 1) {
  std::vector<float> signal(samples);
  std::uint64_t state = seed;
  for (float& sample : signal) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;  // Knuth, MMIX.
    const double unit = static_cast<double>(state >> 11) * 0x1p-53;
    sample = static_cast<float>(amplitude * (2.0 * unit - 1.0));
  }
  return signal;
}

struct ToneFit {
  double amplitude = 0.0;
  double phase_rad = 0.0;     ///< Of a sine at n = 0.
  double residual_rms = 0.0;  ///< Of what is left when the tone is taken away.
};

/// Least-squares fit of one tone of known frequency.
inline ToneFit fit_tone(std::span<const float> signal, double frequency_hz, double rate_hz) {
  const double step = 2.0 * std::numbers::pi * frequency_hz / rate_hz;
  double ss = 0.0;
  double sc = 0.0;
  double cc = 0.0;
  double ys = 0.0;
  double yc = 0.0;
  for (std::size_t n = 0; n < signal.size(); ++n) {
    const double s = std::sin(step * static_cast<double>(n));
    const double c = std::cos(step * static_cast<double>(n));
    ss += s * s;
    sc += s * c;
    cc += c * c;
    ys += static_cast<double>(signal[n]) * s;
    yc += static_cast<double>(signal[n]) * c;
  }
  const double determinant = ss * cc - sc * sc;
  const double a = (ys * cc - yc * sc) / determinant;
  const double b = (yc * ss - ys * sc) / determinant;
  double residual = 0.0;
  for (std::size_t n = 0; n < signal.size(); ++n) {
    const double angle = step * static_cast<double>(n);
    const double left = static_cast<double>(signal[n]) - a * std::sin(angle) - b * std::cos(angle);
    residual += left * left;
  }
  return {.amplitude = std::hypot(a, b),
          .phase_rad = std::atan2(b, a),
          .residual_rms = std::sqrt(residual / static_cast<double>(signal.size()))};
}

inline double rms(std::span<const float> signal) {
  double sum = 0.0;
  for (const float sample : signal) {
    sum += static_cast<double>(sample) * static_cast<double>(sample);
  }
  return std::sqrt(sum / static_cast<double>(signal.size()));
}

inline double decibels(double amplitude_ratio) {
  return 20.0 * std::log10(amplitude_ratio);
}

}  // namespace qylon::testing

#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace qylon::test {

/// Something that is plainly a voice to a detector: harmonics of 140 Hz under a formant-like slope,
/// four syllables a second. `samples` at `rate_hz`, beginning at `start_sample`.
inline std::vector<float> voice_signal(std::int64_t start_sample,
                                       std::size_t samples,
                                       int rate_hz) {
  std::vector<float> signal(samples);
  for (std::size_t n = 0; n < samples; ++n) {
    const double t = static_cast<double>(start_sample + static_cast<std::int64_t>(n)) / rate_hz;
    const double syllable = 0.55 + 0.45 * std::sin(2 * std::numbers::pi * 4.0 * t);
    double value = 0.0;
    for (int harmonic = 1; harmonic <= 20; ++harmonic) {
      const double hz = 140.0 * harmonic;
      value += std::sin(2 * std::numbers::pi * hz * t) / (1.0 + std::pow(hz / 700.0, 2));
    }
    signal[n] = static_cast<float>(0.08 * syllable * value);
  }
  return signal;
}

}  // namespace qylon::test

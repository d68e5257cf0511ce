#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace qylon::test {

/// Something that is plainly a voice to a detector: a gliding pitch about 120 Hz through three
/// moving formants, four syllables a second. `samples` at `rate_hz`, beginning at `start_sample`.
inline std::vector<float> voice_signal(std::int64_t start_sample,
                                       std::size_t samples,
                                       int rate_hz) {
  constexpr double kTurn = 2 * std::numbers::pi;
  std::vector<float> signal(samples);
  for (std::size_t n = 0; n < samples; ++n) {
    const double t = static_cast<double>(start_sample + static_cast<std::int64_t>(n)) / rate_hz;
    const double pitch_hz = 120.0 + 25.0 * std::sin(kTurn * 0.7 * t);
    // The integral of the pitch.
    const double phase = kTurn * 120.0 * t - 25.0 / 0.7 * std::cos(kTurn * 0.7 * t);
    const double syllable = 0.55 + 0.45 * std::sin(kTurn * 4.0 * t);
    const double shift = 1.0 + 0.2 * std::sin(kTurn * 1.3 * t);
    double value = 0.0;
    for (int harmonic = 1; harmonic * pitch_hz < 4000.0; ++harmonic) {
      double gain = 0.0;
      for (const double formant_hz : {650.0 * shift, 1150.0 / shift, 2600.0}) {
        const double distance = (harmonic * pitch_hz - formant_hz) / 130.0;
        gain += 650.0 / formant_hz / (1.0 + distance * distance);
      }
      value += gain * std::sin(harmonic * phase);
    }
    signal[n] = static_cast<float>(0.08 * syllable * value);
  }
  return signal;
}

}  // namespace qylon::test

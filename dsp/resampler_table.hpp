#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace qylon::dsp {

/// The low-pass of one rate pair, split into phases: immutable, one per pair for all streams.
///
/// Output sample n is due at the input time t = n * decimation / interpolation. It is the dot
/// product of the last `taps` input samples up to floor(t) with the phase of t's fraction.
struct ResamplerTable {
  struct alignas(64) Line {
    std::array<float, 16> values;
  };

  int interpolation = 1;    ///< L: output_rate / gcd.
  int decimation = 1;       ///< M: input_rate / gcd.
  std::size_t taps = 0;     ///< Per phase, a multiple of 16; 0 when the rates are equal.
  int latency_output = 0;   ///< Delay in output samples.
  std::vector<Line> lines;  ///< float32[interpolation, taps] row-major, 64-byte aligned.

  const float* phase(int index) const noexcept {
    return lines[static_cast<std::size_t>(index) * (taps / 16)].values.data();
  }
};

/// The table of a rate pair, computed at its first use (some milliseconds) and kept.
///
/// Threads : any.
/// REQUIRES: rates > 0.
std::shared_ptr<const ResamplerTable> resampler_table(int input_rate_hz, int output_rate_hz);

}  // namespace qylon::dsp

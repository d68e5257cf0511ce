#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace qylon::dsp {

/// The low-pass of one rate pair: immutable, one per pair for all streams.
///
/// The input is halved in rate as often as the band allows, by short filters, because the sharp one
/// costs in proportion to its input rate. It comes last and is split into phases: its output n is
/// due at the time t = n * decimation / interpolation of its input, and is the dot product of the
/// last `window` samples up to floor(t) with the phase of t's fraction.
///
/// Eight outputs in a row share one span of input. The rows of such a group hold the phases shifted
/// to where the group's span begins, with zeros around them.
struct ResamplerTable {
  static constexpr std::size_t kGroup = 8;
  struct alignas(64) Line {
    std::array<float, 16> values;
  };

  /// Half-band filters, first to last: float32[n] each, every other tap (the others are zero) but
  /// the middle one, which is 0.5. Symmetric; n is even.
  std::vector<std::vector<float>> halvings;
  int interpolation = 1;    ///< L of the sharp filter.
  int decimation = 1;       ///< M of the sharp filter.
  std::size_t window = 0;   ///< Input samples one output needs; 0 when the rates are equal.
  std::size_t span = 0;     ///< Input samples a group reads, a multiple of 16.
  std::size_t groups = 0;   ///< lcm(L, 8) / 8.
  int latency_output = 0;   ///< Delay of the whole chain in output samples.
  std::vector<Line> lines;  ///< float32[groups, span / 16, 8, 16], for Kernels::dot_eight.

  const float* group(std::size_t index) const noexcept {
    return lines[index * kGroup * (span / 16)].values.data();
  }
};

/// The table of a rate pair, computed at its first use (some milliseconds) and kept.
///
/// Threads : any.
/// REQUIRES: rates > 0.
std::shared_ptr<const ResamplerTable> resampler_table(int input_rate_hz, int output_rate_hz);

}  // namespace qylon::dsp

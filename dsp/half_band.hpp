#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace qylon::dsp {

/// Halves the sample rate of one stream with a half-band filter.
///
/// Signal  : mono float32. After m input samples in total, ceil(m / 2) outputs have come, whatever
///           the block sizes, and their values do not depend on those either.
/// Cost    : taps.size() multiplications per output sample; no allocation after construction.
/// Threads : one at a time.
/// Source  : F. Mintzer, "On half-band, third-band, and Nth-band FIR filters and their design",
///           IEEE Trans. ASSP 30(5), 1982: every other tap is zero, and the middle one 0.5.
class HalfBand {
 public:
  /// Input: every other tap but the middle one (see ResamplerTable::halvings); they must outlive
  /// this. REQUIRES: an even number of them.
  HalfBand(std::span<const float> taps, std::size_t block_samples_max);

  /// Returns the samples written. `output` may be the input itself.
  /// REQUIRES: input.size() <= block_samples_max; output.size() >= (input.size() + 1) / 2.
  std::size_t process(std::span<const float> input, std::span<float> output) noexcept;

  void reset() noexcept;

 private:
  std::span<const float> taps_;
  std::vector<float> even_;  // Inputs 0, 2, 4 ...: the past that the taps need, then new ones.
  std::vector<float> odd_;   // Inputs 1, 3, 5 ...; half as much past.
  std::size_t odd_filled_ = 0;
  bool next_is_odd_ = false;
};

}  // namespace qylon::dsp

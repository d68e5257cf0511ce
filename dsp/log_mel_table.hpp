#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dsp/fft.hpp"
#include "dsp/log_mel.hpp"

namespace qylon::dsp {

/// Window and mel bank of one set of options: immutable, one for all streams.
struct LogMelTable {
  static constexpr std::size_t kGroup = 8;
  static constexpr std::size_t kBins = LogMel::kFftSize / 2 + 1;

  /// Eight neighbouring bands, their weights laid out for Kernels::dot_bands.
  struct Group {
    std::array<std::uint16_t, kGroup> begins{};  ///< First bin of each.
    std::size_t bins = 0;                        ///< Of the widest, in whole vectors of 8.
    std::vector<float> weights;                  ///< 1 / kFftSize included.
  };

  LogMel::Options options;
  RealFft fft;
  std::vector<float> window;  ///< [kFrameSamples]; empty for rectangular.
  std::vector<Group> groups;  ///< The last may end with bands of no weight.
};

/// The table of `options`, kept as long as some stream uses it.
///
/// Threads : any.
/// Errors  : kInvalidArgument when an option is outside its range or a band holds no FFT bin.
Result<std::shared_ptr<const LogMelTable>> log_mel_table(const LogMel::Options& options);

}  // namespace qylon::dsp

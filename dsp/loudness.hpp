#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "core/result.hpp"

namespace qylon::dsp {

/// Measures how loud a voice is and says by how much to turn it up or down.
///
/// Signal  : mono float32 at 16 kHz, full scale +-1; 10 ms blocks (other lengths are accepted).
/// Measure : K-weighted power in 400 ms windows every 100 ms; windows below -70 LUFS and those more
///           than 10 LU below the mean of the rest do not count; older windows fade with
///           memory_s of counted audio: a quieter voice takes over in 2 to 4 times that, a long
///           silence changes nothing.
/// Gain    : target_lufs minus that loudness, within +-gain_db_max, moving at slew_db_per_s.
/// Cost    : two biquads per sample; no allocation, lock or I/O after create().
/// Threads : one object per stream, one thread at a time.
/// Errors  : create() kInvalidArgument when an option is outside its range.
/// Source  : ITU-R BS.1770-4 annex 1 (K-weighting, gates), EBU Tech 3341 (momentary loudness);
///           filters redesigned for 16 kHz from their analogue parameters.
class Loudness {
 public:
  struct Options {
    float target_lufs = -23.0F;  ///< [-40, -10].
    float gain_db_max = 20.0F;   ///< [0, 40]; the gain stays within +-this.
    float slew_db_per_s = 6.0F;  ///< (0, 1000].
    float memory_s = 20.0F;      ///< (0, 1e9]; time constant of forgetting, in counted seconds.
  };

  static Result<Loudness> create(const Options& options);
  static Result<Loudness> create() { return create(Options()); }

  /// Listens to one block and returns the gain [dB] to apply to it; the caller applies it.
  float process(std::span<const float> samples) noexcept;

  /// Loudness of the last 400 ms [LUFS], -100 when silent or before the first 400 ms.
  float momentary_lufs() const noexcept { return momentary_lufs_; }

  /// Gated loudness so far [LUFS], -100 while nothing has counted.
  float gated_lufs() const noexcept;

  /// Forgets all past samples.
  void reset() noexcept;

 private:
  static constexpr int kBinsPerLu = 2;
  static constexpr std::size_t kBins = 80 * kBinsPerLu;  // From -70 to +10 LUFS.
  static constexpr int kStepsInWindow = 4;

  struct Biquad {
    double b0, b1, b2, a1, a2;
    double state1 = 0.0;
    double state2 = 0.0;
    double step(double input) noexcept;
    void flush_denormals() noexcept;
  };
  struct Bin {
    float windows = 0.0F;  // How many, faded.
    float power = 0.0F;    // Their summed power, faded.
  };

  explicit Loudness(const Options& options);

  static Biquad shelf();
  static Biquad highpass();
  void finish_step() noexcept;
  void count_window(double power) noexcept;
  double mean_power(std::size_t first_bin) const noexcept;

  Options options_;  // Constant after construction.
  Biquad shelf_;
  Biquad highpass_;
  std::array<double, kStepsInWindow> step_power_{};  // Summed squares per 100 ms, newest last.
  int steps_ = 0;                                    // Steps seen, up to kStepsInWindow.
  int step_samples_ = 0;                             // Samples in the step being filled.
  std::array<Bin, kBins> bins_{};
  float momentary_lufs_ = -100.0F;
  float wanted_gain_db_ = 0.0F;
  float gain_db_ = 0.0F;
};

}  // namespace qylon::dsp

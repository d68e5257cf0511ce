#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "core/result.hpp"
#include "dsp/fft.hpp"

namespace qylon::dsp {

/// What a block of sound tells about speech in it: how far each band stands above its noise floor,
/// the shape of the spectrum, and how periodic it is. Input of VoiceActivity's classifier.
///
/// Input   : mono float32[160] at 16 kHz; the window is the last 400 samples.
/// Output  : float32[kCount], about [-2, 2]: [0, 16) band level over its noise floor, [16, 32)
///           band level over the mean of all bands, then whole level over the floor, whole level
///           under the loudest of late, periodicity, pitch jump, peakiness.
/// Cost    : two FFTs of 512; no allocation, lock or I/O after create().
/// Threads : one object per stream, one thread at a time.
/// Source  : R. Martin, "Noise power spectral density estimation based on optimal smoothing and
///           minimum statistics", IEEE TSAP 9(5), 2001 (floor as the minimum over sub-windows);
///           T. Tolonen, M. Karjalainen, "A computationally efficient multipitch analysis model",
///           IEEE TSAP 8(6), 2000 (autocorrelation of the compressed spectrum).
class VoiceActivityFeatures {
 public:
  static constexpr std::size_t kBlockSamples = 160;
  static constexpr std::size_t kBands = 16;
  static constexpr std::size_t kCount = 2 * kBands + 5;

  static Result<VoiceActivityFeatures> create();

  void process(std::span<const float, kBlockSamples> samples,
               std::span<float, kCount> features) noexcept;

  /// Forgets all past samples and the noise floor.
  void reset() noexcept;

 private:
  static constexpr std::size_t kWindowSamples = 400;
  static constexpr int kFftSize = 512;
  static constexpr std::size_t kBins = kFftSize / 2 + 1;
  static constexpr std::size_t kMinima = 8;  // Sub-windows of 0.25 s: the floor looks back 2 s.
  using Bands = std::array<float, kBands>;
  using Spectrum = std::array<float, kBins>;  // Power.
  using Window = std::array<float, kWindowSamples>;

  explicit VoiceActivityFeatures(RealFft fft);

  static Window make_window();

  void update_bands(Spectrum& power) noexcept;
  void update_floor() noexcept;
  void update_pitch(const Spectrum& power) noexcept;
  static float peakiness(const Spectrum& power) noexcept;

  RealFft fft_;           // Constant after construction, as the next.
  const Window* window_;  // Hann, scaled to unit energy; one for all streams.
  Window history_{};
  Bands band_power_{};
  Bands smooth_power_{};
  Bands running_minimum_{};              // Of the sub-window being filled.
  std::array<Bands, kMinima> minima_{};  // Of the last sub-windows.
  Bands floor_{};
  std::size_t blocks_ = 0;    // Since reset.
  float loudest_ = 0.0F;      // Decaying maximum of the whole log level.
  float periodicity_ = 0.0F;  // Of the last block, [-1, 1].
  float log_lag_ = 0.0F;
  float pitch_jump_ = 0.0F;
};

}  // namespace qylon::dsp

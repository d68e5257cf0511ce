#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/result.hpp"

namespace qylon::dsp {

struct LogMelTable;

/// Log-mel energies of a stream: framing, pre-emphasis, window, FFT 512, triangular mel bank, log.
///
/// Input   : mono float32 at 16 kHz, full scale +-1; any block length, state carries over.
/// Output  : float32[mels] per frame of 400 samples, every 160 samples; frame i covers samples
///           [160 i, 160 i + 400). The power spectrum is |X|^2 / 512.
/// Cost    : one FFT and a sparse mel bank per frame, about 0.6 us; no allocation after create().
///           State 2 kB; window and bank are shared by all streams of the same options.
/// Threads : one object per stream, one thread at a time.
/// Errors  : create() kInvalidArgument when an option is outside its range or a mel band would
///           hold no FFT bin.
/// Source  : S. Young et al., "The HTK Book", section 5.4 (mel scale, bank);
///           python_speech_features 0.6 `fbank` (Options::python_speech_features()).
class LogMel {
 public:
  static constexpr int kRateHz = 16000;
  static constexpr int kFrameSamples = 400;
  static constexpr int kHopSamples = 160;
  static constexpr int kFftSize = 512;

  enum class Window : std::uint8_t { kRectangular, kHann, kPovey };
  enum class Bank : std::uint8_t {
    kMelTriangles,    ///< Straight flanks on the mel axis, sampled at the bin centres (Kaldi, HTK).
    kRoundedCorners,  ///< Corners floored to FFT bins, straight on the bin axis (p_s_f).
  };
  enum class Scale : std::uint8_t { kNaturalLog, kDecibel };

  struct Options {
    int mels = 40;               ///< [4, 128].
    float f_min_hz = 20.0F;      ///< [0, f_max_hz).
    float f_max_hz = 8000.0F;    ///< (f_min_hz, 8000].
    float pre_emphasis = 0.97F;  ///< [0, 1): y[n] = x[n] - pre_emphasis * x[n - 1], over the whole
                                 ///< stream (never restarted per frame); x[-1] = 0.
    Window window = Window::kPovey;
    Bank bank = Bank::kMelTriangles;
    Scale scale = Scale::kNaturalLog;
    float power_min = 1e-10F;  ///< >= 1.2e-38; energies below count as this.

    bool operator==(const Options&) const = default;

    /// The speaker models' front end: 40 mels over 0..8000 Hz, no window, 10 log10, as
    /// python_speech_features.fbank(nfilt=40) followed by 10 * log10(max(energy, 1e-10)).
    static Options python_speech_features();
  };

  static Result<LogMel> create(const Options& options);

  std::size_t mels() const noexcept { return mels_; }

  /// Calls `on_frame(std::span<const float>)` [mels] for every frame that `samples` completes, in
  /// order. The span is valid during the call.
  template <typename FrameFn>
  void push(std::span<const float> samples, FrameFn&& on_frame) {
    while (!samples.empty()) {
      samples = samples.subspan(take(samples));
      if (filled_ == kFrameSamples) on_frame(finish_frame());
    }
  }

  /// Forgets all past samples.
  void reset() noexcept;

  /// Frames that `samples` samples give: whole frames only, or with the last partial one padded
  /// with zeros (python_speech_features does that; at least one frame then).
  static std::size_t frame_count(std::size_t samples, bool pad_last) noexcept;

  /// All frames of a whole signal, from a fresh state; leaves the stream state reset.
  /// Output  : float32[frame_count(samples, pad_last), mels] row-major.
  std::vector<float> batch(std::span<const float> samples, bool pad_last);

 private:
  explicit LogMel(std::shared_ptr<const LogMelTable> table);

  std::size_t take(std::span<const float> samples) noexcept;
  std::span<const float> finish_frame() noexcept;

  std::shared_ptr<const LogMelTable> table_;  // Constant after construction.
  std::size_t mels_;                          // Constant after construction.
  std::vector<float> frame_;                  // [kFrameSamples] pre-emphasised.
  std::vector<float> output_;                 // [mels] in whole groups of 8.
  std::size_t filled_ = 0;                    // Samples valid in frame_.
  float last_sample_ = 0.0F;                  // x[n - 1] of the pre-emphasis.
};

}  // namespace qylon::dsp

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "dsp/any_rate.hpp"
#include "dsp/half_band.hpp"

namespace qylon::dsp {

struct ResamplerTable;

/// Converts one stream between the sample rates of speech: half-band filters as far as they go,
/// then a polyphase Kaiser-windowed sinc. Other rates pass through AnyRateResampler, of which its
/// documentation says quality, latency and cost.
///
/// Signal  : mono float32, full scale +-1. After m input samples in total, exactly
///           ceil(m * output_rate / input_rate) samples have come out, whatever the block sizes,
///           and their values do not depend on the block sizes either.
/// Quality : pass band +-0.01 dB up to 0.9 of the lower Nyquist frequency; images and aliases
///           <= -100 dB from the lower Nyquist frequency up. Equal rates pass through untouched.
/// Latency : latency_samples(); 75 samples (4.7 ms) for 48 -> 16 kHz.
/// Cost    : one dot product of about 200 taps per output sample at 16 kHz; no allocation, lock or
///           I/O after create(). Coefficients are shared by all streams of a pair. State 10 kB.
/// Threads : one object per stream, one thread at a time; create() from any thread.
/// Errors  : create() kInvalidArgument for a rate outside the ranges below; kUnavailable when
///           memory is short.
/// Source  : J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window
///           function", ISCAS 1974; R. Crochiere, L. Rabiner, "Multirate Digital Signal
///           Processing", 1983, section 3.3 (polyphase structure).
class Resampler {
 public:
  struct Options {
    int input_rate_hz = 48000;   ///< 4000..192000. With tables: 8000, 11025, 12000, 16000, 22050,
                                 ///< 24000, 32000, 44100, 48000, 96000.
    int output_rate_hz = 16000;  ///< 16000 or 48000.
  };

  static constexpr int kInputRateHzMin = 4000;
  static constexpr int kInputRateHzMax = 192000;

  static Result<Resampler> create(const Options& options);

  /// Room that one process() call of `input_samples` samples needs at most.
  std::size_t output_samples_max(std::size_t input_samples) const noexcept;

  /// Takes all of `input` and writes what is ready to `output`; returns the samples written.
  /// REQUIRES: output.size() >= output_samples_max(input.size()); the two do not overlap.
  std::size_t process(std::span<const float> input, std::span<float> output) noexcept;

  /// Forgets all past samples, as if just created.
  void reset() noexcept;

  /// Delay of the output against the input, in samples at the output rate; a whole number.
  double latency_samples() const noexcept;

 private:
  explicit Resampler(std::shared_ptr<const ResamplerTable> table);
  explicit Resampler(std::unique_ptr<AnyRateResampler> any_rate) : any_rate_(std::move(any_rate)) {}

  std::size_t drain(std::span<float> output) noexcept;

  std::unique_ptr<AnyRateResampler> any_rate_;   // Instead of all below, when there is no table.
  std::shared_ptr<const ResamplerTable> table_;  // Constant after construction.
  std::vector<HalfBand> halvings_;
  std::vector<float> history_;  // Inputs of the sharp filter that are still needed, new last.
  std::size_t filled_ = 0;      // Samples valid in history_.
  std::size_t position_ = 0;    // Index in history_ where the span of the next group begins.
  std::size_t group_ = 0;       // Next group of outputs.
  std::size_t given_ = 0;       // Of its outputs, how many have gone out.
  std::uint64_t taken_total_ = 0;
  std::uint64_t given_total_ = 0;
};

}  // namespace qylon::dsp

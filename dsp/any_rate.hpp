#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct SRC_STATE_tag;

namespace qylon::dsp {

/// Converts one stream between any two sample rates, for the pairs that are too rare for a table
/// of their own: what Resampler falls back on, with the same contract.
///
/// Signal  : as Resampler's: exactly ceil(m * output_rate / input_rate) samples for m in total.
/// Quality : libsamplerate's medium sinc: pass band to 0.85 of the lower Nyquist frequency within
///           0.1 dB, aliases of what lies a tenth above it <= -95 dB.
/// Latency : latency_samples(); about 49 samples of the lower rate: 3.2 ms from any higher rate to
///           16 kHz, 12 ms from 4 kHz.
/// Cost    : up to forty times Resampler's; 150 kB. No allocation, lock or I/O after create().
/// Threads : one object per stream, one thread at a time.
class AnyRateResampler {
 public:
  struct Options {
    int input_rate_hz = 48000;  ///< > 0; the two differ by a factor of 256 at most.
    int output_rate_hz = 16000;
  };
  /// Null when memory is short.
  static std::unique_ptr<AnyRateResampler> create(const Options& options);

  std::size_t output_samples_max(std::size_t input_samples) const noexcept;
  /// As Resampler::process().
  std::size_t process(std::span<const float> input, std::span<float> output) noexcept;
  void reset() noexcept;
  std::size_t latency_samples() const noexcept { return latency_; }

 private:
  struct Delete {
    void operator()(SRC_STATE_tag* converter) const noexcept;
  };
  AnyRateResampler(const Options& options, std::unique_ptr<SRC_STATE_tag, Delete> converter);
  void convert(std::span<const float> input) noexcept;

  const Options options_;      // Constant after construction.
  const std::size_t latency_;  // Constant after construction.
  const std::unique_ptr<SRC_STATE_tag, Delete> converter_;
  std::vector<float> waiting_;  // Converted and not due yet; first latency_ zeros.
  std::size_t filled_ = 0;      // Of waiting_.
  std::uint64_t taken_total_ = 0;
  std::uint64_t given_total_ = 0;
};

}  // namespace qylon::dsp

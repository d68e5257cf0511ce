#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/result.hpp"

namespace qylon::media {

/// Opus packets of one mono stream, a thin shell over libopus tuned for speech.
///
/// Input   : float32[frame_samples()] mono, full scale +-1.
/// Output  : one packet per frame, valid until the next encode().
/// Cost    : complexity 5: about 0.35 ms for 20 ms; no allocation after create().
/// Threads : one thread at a time.
/// Errors  : create() kInvalidArgument outside the ranges below.
/// Source  : RFC 6716.
class OpusPacketEncoder {
 public:
  struct Options {
    int sample_rate_hz = 48000;  ///< 8000, 12000, 16000, 24000 or 48000.
    int bitrate_bps = 32'000;    ///< 6000..510000, variable.
    int frame_ms = 20;           ///< 10, 20, 40 or 60.
    int complexity = 5;          ///< 0..10.
  };
  static Result<OpusPacketEncoder> create(const Options& options);

  /// REQUIRES: frame.size() == frame_samples().
  std::span<const std::uint8_t> encode(std::span<const float> frame);

  std::size_t frame_samples() const noexcept { return frame_samples_; }
  /// How many samples the decoded signal lags behind the input (an Ogg Opus file's pre-skip).
  int lookahead_samples() const noexcept { return lookahead_samples_; }

 private:
  struct Free {
    void operator()(void* encoder) const noexcept;
  };
  OpusPacketEncoder() = default;

  std::unique_ptr<void, Free> encoder_;  // ::OpusEncoder, whose header stays behind the wall.
  std::size_t frame_samples_ = 0;
  int lookahead_samples_ = 0;
  std::vector<std::uint8_t> packet_;
};

}  // namespace qylon::media

#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/result.hpp"

namespace qylon::dsp {

/// Probability that somebody speaks, every 10 ms, in clean and in noisy rooms.
///
/// Input   : mono float32[160] at 16 kHz, full scale +-1, high-passed or not; any level.
/// Output  : speech probability in [0, 1]; 0.5 is the balanced decision. Causal: no look-ahead
///           beyond the block itself. Exact silence gives a probability near 0.
/// Cost    : one FFT of 512 and one of 512 for the pitch per block, about 0.2 ms a stream-second;
///           no allocation, lock or I/O after create().
/// Threads : one object per stream, one thread at a time.
class VoiceActivity {
 public:
  static constexpr std::size_t kBlockSamples = 160;

  struct Options {};

  static Result<VoiceActivity> create(const Options& options);
  static Result<VoiceActivity> create() { return create(Options()); }

  VoiceActivity(VoiceActivity&&) noexcept;
  VoiceActivity& operator=(VoiceActivity&&) noexcept;
  VoiceActivity(const VoiceActivity&) = delete;
  VoiceActivity& operator=(const VoiceActivity&) = delete;
  ~VoiceActivity();

  float process(std::span<const float, kBlockSamples> samples) noexcept;

  /// Forgets all past samples and the noise floor.
  void reset() noexcept;

 private:
  struct State;

  explicit VoiceActivity(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace qylon::dsp

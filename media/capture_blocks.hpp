#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qylon::media {

inline constexpr int kCaptureRateHz = 48'000;
inline constexpr std::size_t kCaptureBlockSamples = 960;  ///< 20 ms.
inline constexpr std::int64_t kCaptureBlockUs = 20'000;

struct CaptureBlock {
  std::array<float, kCaptureBlockSamples> samples{};  ///< Mono, full scale +-1.
  std::uint64_t capture_us = 0;                       ///< First sample's time; 0 is the beginning.
};

/// Cuts a device's buffers of any length into blocks whose time follows from the sample count.
///
/// Time    : a buffer that begins more than 40 ms after the end of its predecessor leaves a hole of
///           exactly that length; smaller steps are jitter of the device's time stamps. Only
///           neighbours are compared, so a sound card whose clock drifts against ours makes no
///           hole.
/// Bounds  : holds one buffer and less than one block.
/// Threads : one thread at a time.
class CaptureBlocks {
 public:
  static constexpr std::int64_t kHoleUs = 40'000;

  /// REQUIRES: !ready(). `stamp_us` < 0: the device does not know.
  void add(std::span<const float> samples, std::int64_t stamp_us);
  bool ready() const noexcept { return samples_.size() >= kCaptureBlockSamples; }
  /// REQUIRES: ready().
  void take(CaptureBlock& block);
  /// Sum of all holes so far [us].
  std::int64_t holes_us() const noexcept { return holes_us_; }

 private:
  std::vector<float> samples_;
  std::uint64_t front_us_ = 0;            // Time of samples_.front().
  std::int64_t hole_after_block_us_ = 0;  // Lies behind the next block.
  std::int64_t expected_us_ = -1;         // Where the device's next buffer should begin.
  std::int64_t holes_us_ = 0;
};

}  // namespace qylon::media

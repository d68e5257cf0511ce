#include "media/capture_blocks.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace qylon::media {

void CaptureBlocks::add(std::span<const float> samples, std::int64_t stamp_us) {
  QYLON_CHECK(!ready());
  const std::int64_t hole_us =
      stamp_us >= 0 && expected_us_ >= 0 ? stamp_us - expected_us_ : std::int64_t{0};
  if (hole_us > kHoleUs) {
    holes_us_ += hole_us;
    // A hole is longer than a block, so the begun block is filled up and the rest follows it.
    const std::size_t missing = samples_.empty() ? 0 : kCaptureBlockSamples - samples_.size();
    samples_.resize(samples_.size() + missing, 0.0F);
    const auto filled_us = static_cast<std::int64_t>(missing) * 1'000'000 / kCaptureRateHz;
    if (samples_.empty()) {
      front_us_ += static_cast<std::uint64_t>(hole_us);
    } else {
      hole_after_block_us_ = hole_us - filled_us;
    }
  }
  samples_.insert(samples_.end(), samples.begin(), samples.end());
  if (stamp_us >= 0) {
    expected_us_ =
        stamp_us + static_cast<std::int64_t>(samples.size()) * 1'000'000 / kCaptureRateHz;
  }
}

void CaptureBlocks::take(CaptureBlock& block) {
  QYLON_CHECK(ready());
  const auto end = samples_.begin() + static_cast<std::ptrdiff_t>(kCaptureBlockSamples);
  std::copy(samples_.begin(), end, block.samples.begin());
  samples_.erase(samples_.begin(), end);
  block.capture_us = front_us_;
  front_us_ += static_cast<std::uint64_t>(kCaptureBlockUs + hole_after_block_us_);
  hole_after_block_us_ = 0;
}

}  // namespace qylon::media

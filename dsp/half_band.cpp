#include "dsp/half_band.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "dsp/kernels.hpp"

namespace qylon::dsp {

HalfBand::HalfBand(std::span<const float> taps, std::size_t block_samples_max)
    : taps_(taps),
      even_(taps.size() - 1 + (block_samples_max + 1) / 2),
      odd_(taps.size() / 2 + (block_samples_max + 1) / 2) {
  QYLON_CHECK(taps.size() % 2 == 0);
  reset();
}

void HalfBand::reset() noexcept {
  std::ranges::fill(even_, 0.0F);
  std::ranges::fill(odd_, 0.0F);
  odd_filled_ = taps_.size() / 2;
  next_is_odd_ = false;
}

std::size_t HalfBand::process(std::span<const float> input, std::span<float> output) noexcept {
  if (input.empty()) return 0;
  if (next_is_odd_) {
    odd_[odd_filled_++] = input.front();
    input = input.subspan(1);
  }
  const std::size_t past = taps_.size() - 1;
  const std::size_t pairs = input.size() / 2;
  kernels().split_pairs(input.data(), pairs, even_.data() + past, odd_.data() + odd_filled_);
  odd_filled_ += pairs;
  next_is_odd_ = input.size() % 2 != 0;
  if (next_is_odd_) even_[past + pairs] = input.back();

  // Output m is due with input 2 m; the middle tap meets the odd input of half the taps before.
  const std::size_t count = pairs + (next_is_odd_ ? 1 : 0);
  QYLON_CHECK(output.size() >= count);
  kernels().half_band(even_.data(), odd_.data(), taps_.data(), taps_.size(), count, output.data());
  const auto moved = static_cast<std::ptrdiff_t>(count);
  std::copy_n(even_.begin() + moved, past, even_.begin());
  std::copy_n(odd_.begin() + moved, odd_filled_ - count, odd_.begin());
  odd_filled_ -= count;
  return count;
}

}  // namespace qylon::dsp

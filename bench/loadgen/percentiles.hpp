#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace qylon::loadgen {

/// Times in microseconds, kept as counts in buckets an eighth of an octave wide: at most 12.5 %
/// above the truth, in 2 KB however many there are.
class Percentiles {
 public:
  void add(std::int64_t us) noexcept {
    ++counts_[bucket_of(us < 0 ? 0 : static_cast<std::uint64_t>(us))];
    ++count_;
  }
  void add(const Percentiles& other) noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      counts_[i] += other.counts_[i];
    count_ += other.count_;
  }
  std::uint64_t count() const noexcept { return count_; }

  /// Upper edge of the bucket that holds the `fraction` quantile, in ms; 0 when empty.
  double at_ms(double fraction) const noexcept {
    const double wanted = fraction * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return upper_us(i) / 1000.0;
    }
    return 0.0;
  }

 private:
  static constexpr std::size_t kBuckets = 256;

  static std::size_t bucket_of(std::uint64_t us) noexcept {
    if (us < 8) return static_cast<std::size_t>(us);
    const auto octave = static_cast<std::size_t>(std::bit_width(us)) - 4;
    const std::size_t bucket = octave * 8 + static_cast<std::size_t>(us >> octave);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  static double upper_us(std::size_t bucket) noexcept {
    if (bucket < 8) return static_cast<double>(bucket);
    const std::size_t octave = bucket / 8 - 1;
    return static_cast<double>((bucket - octave * 8 + 1) << octave);
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
};

}  // namespace qylon::loadgen

#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/check.hpp"

namespace qylon::media {

/// The newest samples of a track, addressed by sample position: pre-roll for an utterance that is
/// noticed late, and its second half when a speaker change is noticed late.
///
/// Cost    : one copy in, one copy out; no allocation after construction.
/// Threads : one thread at a time.
class AudioRing {
 public:
  /// REQUIRES: capacity_samples >= 1.
  explicit AudioRing(std::size_t capacity_samples) : samples_(capacity_samples) {
    QYLON_CHECK(capacity_samples >= 1);
  }

  /// Appends `block`, which begins at `start_sample`. A jump forgets everything older.
  void append(std::int64_t start_sample, std::span<const float> block) {
    if (start_sample != end_) begin_ = start_sample;
    end_ = start_sample;
    for (const float sample : block)
      samples_[slot(end_++)] = sample;
    begin_ = std::max(begin_, end_ - static_cast<std::int64_t>(samples_.size()));
  }

  std::int64_t begin_sample() const noexcept { return begin_; }
  std::int64_t end_sample() const noexcept { return end_; }

  /// Calls `take(span)` once or twice with what is held of [from, to), in order.
  template <typename Take>
  void read(std::int64_t from, std::int64_t to, Take take) const {
    from = std::max(from, begin_);
    to = std::min(to, end_);
    while (from < to) {
      const std::size_t first = slot(from);
      const auto run =
          std::min<std::int64_t>(to - from, static_cast<std::int64_t>(samples_.size() - first));
      take(std::span(samples_).subspan(first, static_cast<std::size_t>(run)));
      from += run;
    }
  }

 private:
  std::size_t slot(std::int64_t sample) const noexcept {
    return static_cast<std::size_t>(sample) % samples_.size();
  }

  std::vector<float> samples_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
};

}  // namespace qylon::media

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dsp/log_mel.hpp"
#include "media/block.hpp"

namespace qylon::media {

/// The shape of a track's newest sound: what is needed to notice it on another track.
///
/// Input   : the track's blocks in order, 16 kHz; a jump in start_sample is filled with silence.
/// Holds   : int8[3000, 12] mel bands of 200..3800 Hz [dB], one row every 20 ms: the last 60 s, for
/// a
///           recogniser may be as late.
/// Memory  : 36 KiB and a front end of 2 KiB.
/// Cost    : 0.6 us a block; no allocation after construction.
/// Threads : one at a time, the meeting's shard.
class SoundTrace {
 public:
  static constexpr std::int64_t kFrameMs = 20;
  static constexpr std::size_t kBands = 12;
  using Frame = std::array<std::int8_t, kBands>;

  SoundTrace();
  void push(std::int64_t start_sample, std::span<const float, kBlockSamples> samples);

  /// Rows are numbered by the track's time: row i begins i * kFrameMs after sample 0.
  std::int64_t begin() const noexcept { return begin_; }
  std::int64_t end() const noexcept { return end_; }
  /// REQUIRES: begin() <= row < end().
  const Frame& at(std::int64_t row) const noexcept { return frames_[slot(row)]; }

 private:
  static std::size_t slot(std::int64_t row) noexcept;
  void append(const Frame& frame) noexcept;
  void jump_to(std::int64_t start_sample);

  dsp::LogMel log_mel_;
  std::vector<Frame> frames_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::int64_t next_sample_ = -1;  // Of the block that follows; -1 before the first.
  bool odd_ = false;               // The front end gives two rows for one that is kept.
};

/// Rows [from, from + rows) of a track.
struct SoundStretch {
  const SoundTrace& sound;
  std::int64_t from = 0;
  std::int64_t rows = 0;
};

/// How a stretch of one track is found on another one.
struct SoundMatch {
  float likeness = 0;    ///< Correlation of the levels of all bands over time, -1..1.
  std::int64_t lag = 0;  ///< Rows by which the stretch is later than the other track.
  float gain_db = 0;     ///< Median level of the stretch above the other track.
};

/// The lag within +-`lag_max` rows at which they are most alike; nothing when the other track does
/// not reach over the whole stretch. `other_from` is the row of `other` at the stretch's begin.
///
/// Cost    : rows * lags * 3 multiply-adds a band: 60 us for 1.6 s and +-0.3 s.
std::optional<SoundMatch> match_sound(const SoundStretch& stretch,
                                      const SoundTrace& other,
                                      std::int64_t other_from,
                                      std::int64_t lag_max);

/// Mean level [dB] by which the loud rows of `part`, which lies in `stretch`, stand above what
/// `match` says is heard of the other track there, its echo of 160 ms included. Without loud rows
/// -100.
float level_above(const SoundStretch& stretch,
                  const SoundStretch& part,
                  const SoundTrace& other,
                  std::int64_t other_from,
                  const SoundMatch& match);

}  // namespace qylon::media

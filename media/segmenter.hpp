#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "media/block.hpp"

namespace qylon::media {

/// How far back a forced cut may lie [ms]: whoever feeds the audio on must hold this much.
inline constexpr std::int64_t kForcedCutSearchMs = 3000;

/// Cuts a track into utterances from the speech probability of its 10 ms blocks.
///
/// Input   : one probability per block, in order. Hysteresis: speech begins at `on` and lasts until
///           `off`; short bursts do not begin an utterance, short pauses do not end one.
/// Output  : where an utterance begins (with pre-roll) and where it ends (with post-roll), in
///           samples; utterances never overlap. One longer than `longest_ms` is cut at its
///           quietest block of the last kForcedCutSearchMs.
/// Cost    : O(1) a block, O(length) at a forced cut; no allocation after construction.
/// Threads : one thread at a time.
class Segmenter {
 public:
  struct Options {
    float on = 0.6F;          ///< Probability at or above which a block is speech. (off, 1]
    float off = 0.35F;        ///< Below it a block is silence. [0, on)
    int onset_ms = 50;        ///< Speech needed to begin. 10..500
    int pause_ms = 300;       ///< Silence needed to end. 100..2000
    int pre_roll_ms = 100;    ///< Audio kept before the onset. 0..500
    int post_roll_ms = 100;   ///< Audio kept after the last speech; at most pause_ms.
    int longest_ms = 12'000;  ///< 2000..30000
  };
  /// What one block changed. An end comes before a begin: a forced cut has both, at one sample.
  struct Step {
    std::optional<std::int64_t> end;
    std::optional<std::int64_t> begin;
  };

  explicit Segmenter(const Options& options);

  Step push(std::int64_t start_sample, float speech_probability);
  /// Ends the open utterance at the newest block, as when the track falls silent for good.
  Step flush();
  /// A speaker change at `sample` cut the open utterance: its second half counts from there.
  /// REQUIRES: an utterance is open.
  void split(std::int64_t sample);

  bool open() const noexcept { return open_; }
  /// Start of the open utterance. REQUIRES: open().
  std::int64_t start_sample() const noexcept { return start_; }

 private:
  void note_onset(std::int64_t start_sample, float probability, Step& step);
  void note_pause(std::int64_t start_sample, float probability, Step& step);
  void cut_when_too_long(Step& step);
  std::int64_t quietest_sample() const;
  void close(std::int64_t end);

  const Options options_;
  bool open_ = false;
  std::int64_t start_ = 0;
  std::int64_t now_ = 0;           // End of the newest block.
  std::int64_t last_speech_ = 0;   // End of the newest speech block.
  std::int64_t previous_end_ = 0;  // No utterance begins before it.
  int onset_blocks_ = 0;
  std::vector<float> probabilities_;  // Of the open utterance's blocks since start_.
};

}  // namespace qylon::media

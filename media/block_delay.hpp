#pragma once

#include <array>
#include <cstddef>

#include "dsp/voice_activity.hpp"
#include "media/block.hpp"

namespace qylon::media {

/// Brings each block together with the probability that voice activity gives for it, which comes
/// dsp::VoiceActivity::kDelayBlocks later.
///
/// Input   : blocks in order, as the graph delivers them.
/// Output  : the same blocks, that many later, each with its own probability. After drain() the
///           last ones have the newest, for nothing newer will come.
/// Cost    : one copy of a block; no allocation.
/// Threads : one thread at a time.
class BlockDelay {
 public:
  template <typename Take>
  void push(const Block& block, Take take) {
    Block& oldest = blocks_[next_ % kDelay];
    if (count_ == kDelay) {
      oldest.speech_probability = block.speech_probability;
      take(oldest);
    } else {
      ++count_;
    }
    oldest = block;
    ++next_;
  }
  template <typename Take>
  void drain(Take take) {
    const float newest = count_ == 0 ? 0.0F : blocks_[(next_ - 1) % kDelay].speech_probability;
    for (std::size_t at = next_ - count_; at < next_; ++at) {
      blocks_[at % kDelay].speech_probability = newest;
      take(blocks_[at % kDelay]);
    }
    count_ = 0;
  }

 private:
  static constexpr std::size_t kDelay = dsp::VoiceActivity::kDelayBlocks;

  std::array<Block, kDelay> blocks_{};
  std::size_t next_ = 0;   // Blocks pushed ever.
  std::size_t count_ = 0;  // Of them waiting.
};

}  // namespace qylon::media

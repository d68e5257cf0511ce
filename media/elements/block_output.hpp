#pragma once
/// Ten-millisecond blocks between our elements: buffers of whole blocks, with what was measured on
/// each in a GstMeta.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <gst/gst.h>

#include "media/block.hpp"
#include "media/elements/transform.hpp"

namespace qylon::media {

inline constexpr std::size_t kBlockSize = kBlockSamples;
/// Whole blocks in one buffer at most: 120 ms.
inline constexpr std::size_t kBufferBlocksMax = kBufferSamplesMax / kBlockSize;

struct BlockFacts {
  float speech_probability = 0.0F;  ///< [0, 1].
  float rms_dbfs = -100.0F;         ///< Before the high-pass.
  float peak_dbfs = -100.0F;        ///< Before the high-pass.
  bool invented = false;            ///< At least half of the block is concealment or silence.
};

/// Block i of the buffer is its samples [160 i, 160 i + 160).
struct BlockMeta {
  GstMeta meta;
  std::array<BlockFacts, kBufferBlocksMax> facts;
};

/// The buffer's facts, or null when it carries none.
BlockMeta* find_block_meta(GstBuffer* buffer) noexcept;

/// Works on whole blocks before they are pushed.
class BlockWorker {
 public:
  BlockWorker() = default;
  virtual ~BlockWorker() = default;
  BlockWorker(const BlockWorker&) = delete;
  BlockWorker& operator=(const BlockWorker&) = delete;
  BlockWorker(BlockWorker&&) = delete;
  BlockWorker& operator=(BlockWorker&&) = delete;

  /// `samples` are facts.size() blocks, to be changed in place; `invented` is told already.
  virtual void work(std::span<float> samples, std::span<BlockFacts> facts) = 0;
};

/// Cuts samples into whole blocks, holding back what does not fill one.
class BlockOutput {
 public:
  /// `worker` must outlive this.
  BlockOutput(GstPad* pad, BlockWorker& worker) noexcept
      : worker_(worker), output_(pad, kBufferSamplesMax) {}

  GstFlowReturn push(std::span<const float> samples, bool invented);
  GstFlowReturn push_zeros(std::int64_t samples);
  /// Fills the block that is begun with zeros and pushes it.
  GstFlowReturn drain();
  void start_at(GstClockTime pts) noexcept { output_.start_at(pts); }
  void reset() noexcept;

 private:
  std::size_t take(std::span<const float> samples, bool invented);
  void count_invented(std::size_t begin, std::size_t end) noexcept;
  GstFlowReturn push_blocks();

  BlockWorker& worker_;
  SampleOutput output_;
  std::size_t filled_ = 0;  // Samples in output_'s buffer; below one block between calls.
  std::array<std::uint16_t, kBufferBlocksMax> invented_samples_{};  // Of each block being filled.
  std::array<float, kBlockSize> rest_{};  // What follows the whole blocks while they are pushed.
};

}  // namespace qylon::media

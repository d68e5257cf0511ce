#pragma once
/// Ten-millisecond blocks between our elements: buffers of whole blocks, with what was measured on
/// each in their BufferMeta.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <gst/gst.h>

#include "media/elements/transform.hpp"

namespace qylon::media {

/// Works on whole blocks before they are pushed.
class BlockWorker {
 public:
  BlockWorker() = default;
  virtual ~BlockWorker() = default;
  BlockWorker(const BlockWorker&) = delete;
  BlockWorker& operator=(const BlockWorker&) = delete;
  BlockWorker(BlockWorker&&) = delete;
  BlockWorker& operator=(BlockWorker&&) = delete;

  /// `samples` are facts.size() blocks, to be changed in place. `facts` hold what is known already:
  /// `invented`, and all that was measured upstream.
  virtual void work(std::span<float> samples, std::span<BlockFacts> facts) = 0;
};

/// Cuts samples into whole blocks, holding back what does not fill one.
class BlockOutput {
 public:
  /// `worker` must outlive this.
  BlockOutput(GstPad* pad, BlockWorker& worker) : worker_(worker), output_(pad, kPieceSamplesMax) {}

  GstFlowReturn push(BufferPtr buffer);
  GstFlowReturn push_zeros(std::int64_t samples);
  /// Fills the block that is begun with zeros and pushes it.
  GstFlowReturn drain();
  void reset() noexcept;

 private:
  GstFlowReturn pass(BufferPtr buffer, BufferMeta& meta);
  GstFlowReturn push(std::span<const float> samples, bool invented);
  std::size_t take(std::span<const float> samples, bool invented);
  void count_invented(std::size_t begin, std::size_t end) noexcept;
  GstFlowReturn push_blocks();

  BlockWorker& worker_;
  SampleOutput output_;
  std::size_t filled_ = 0;  // Samples in output_'s buffer; below one block between calls.
  // Of each block being filled.
  std::array<std::uint16_t, kPieceSamplesMax / kBlockSize> invented_samples_{};
  std::span<const BlockFacts> upstream_;  // Of the buffer in push(), of blocks not pushed yet.
};

}  // namespace qylon::media

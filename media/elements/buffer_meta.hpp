#pragma once
/// What our elements know about a buffer that one of them made: where its bytes lie, and what was
/// measured on each of its 10 ms blocks. With it a buffer runs through all of our elements without
/// being mapped or copied.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <gst/gst.h>

#include "media/block.hpp"

namespace qylon::media {

inline constexpr std::size_t kBlockSize = kBlockSamples;
/// Longest Opus packet, and so the most that one buffer between our elements holds: 120 ms.
inline constexpr std::size_t kBufferSamplesMax = 1920;
inline constexpr std::size_t kBufferBlocksMax = kBufferSamplesMax / kBlockSize;

struct BlockFacts {
  float speech_probability = 0.0F;  ///< [0, 1].
  float rms_dbfs = -100.0F;         ///< Before the high-pass.
  float peak_dbfs = -100.0F;        ///< Before the high-pass; as the next two.
  float momentary_lufs = -100.0F;
  bool clipped = false;
  bool invented = false;  ///< At least half of the block is concealment or silence.
};

struct BufferMeta {
  GstMeta meta;
  std::uint8_t* data;  ///< The buffer's bytes; null in a copy of the buffer.
  std::size_t size;    ///< [bytes]
  GstMemory* memory;   ///< What holds them.
  /// Of a packet that is given only for what it repeats of a loss before it: the loss; else 0.
  std::int64_t lost_samples;
  /// Block i is the samples [160 i, 160 i + 160). Meaningful when `has_facts`.
  std::array<BlockFacts, kBufferBlocksMax> facts;
  bool has_facts;
};

BufferMeta& add_buffer_meta(GstBuffer* buffer) noexcept;
/// Null for a buffer that none of our elements made.
BufferMeta* find_buffer_meta(GstBuffer* buffer) noexcept;

struct UnrefBuffer {
  void operator()(GstBuffer* buffer) const noexcept { gst_buffer_unref(buffer); }
};
/// One reference to a buffer.
using BufferPtr = std::unique_ptr<GstBuffer, UnrefBuffer>;

/// Reads a buffer's bytes for the object's life.
class BufferView {
 public:
  explicit BufferView(GstBuffer* buffer) noexcept
      : buffer_(buffer), meta_(find_buffer_meta(buffer)) {
    if (meta_ != nullptr && meta_->data != nullptr) {
      bytes_ = {meta_->data, meta_->size};
    } else if (gst_buffer_map(buffer, &map_, GST_MAP_READ) == TRUE) {
      mapped_ = true;
      bytes_ = {map_.data, map_.size};
    }
  }
  ~BufferView() {
    if (mapped_) gst_buffer_unmap(buffer_, &map_);
  }
  BufferView(const BufferView&) = delete;
  BufferView& operator=(const BufferView&) = delete;
  BufferView(BufferView&&) = delete;
  BufferView& operator=(BufferView&&) = delete;

  std::span<const std::uint8_t> bytes() const noexcept { return bytes_; }
  /// REQUIRES: the buffer came with kElementCaps.
  std::span<const float> samples() const noexcept {
    return {reinterpret_cast<const float*>(bytes_.data()), bytes_.size() / sizeof(float)};
  }
  bool invented() const noexcept {
    return GST_BUFFER_FLAG_IS_SET(buffer_, GST_BUFFER_FLAG_GAP) == TRUE;
  }
  std::int64_t lost_samples() const noexcept { return meta_ != nullptr ? meta_->lost_samples : 0; }
  /// Null when the buffer carries no facts.
  const BufferMeta* facts() const noexcept {
    return meta_ != nullptr && meta_->has_facts ? meta_ : nullptr;
  }
  /// The meta of a buffer that only its maker and the caller hold, or null: the maker does not look
  /// at it before it has it back, so the caller may write into it.
  BufferMeta* own() const noexcept {
    const bool own = meta_ != nullptr && meta_->data != nullptr &&
                     GST_MINI_OBJECT_REFCOUNT_VALUE(buffer_) == 2 &&
                     GST_MINI_OBJECT_REFCOUNT_VALUE(meta_->memory) == 1;
    return own ? meta_ : nullptr;
  }

 private:
  GstBuffer* buffer_;
  BufferMeta* meta_;
  std::span<const std::uint8_t> bytes_;
  GstMapInfo map_;  // Valid when mapped_.
  bool mapped_ = false;
};

}  // namespace qylon::media

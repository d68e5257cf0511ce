#include "media/elements/block_output.hpp"

#include <algorithm>

namespace qylon::media {
namespace {

BlockMeta* as_block_meta(GstMeta* meta) noexcept {
  return reinterpret_cast<BlockMeta*>(meta);
}

gboolean init_meta(GstMeta* meta, gpointer /*params*/, GstBuffer* /*buffer*/) noexcept {
  as_block_meta(meta)->facts = {};
  return TRUE;
}

const GstMetaInfo* block_meta_info() noexcept;

/// A whole copy keeps the facts; a part of a buffer has other blocks and gets none.
gboolean copy_meta(GstBuffer* copy,
                   GstMeta* meta,
                   GstBuffer* /*buffer*/,
                   GQuark type,
                   gpointer data) noexcept {
  static const GQuark kCopy = g_quark_from_static_string("gst-copy");
  if (type != kCopy || static_cast<const GstMetaTransformCopy*>(data)->region == TRUE) return FALSE;
  GstMeta* const added = gst_buffer_add_meta(copy, block_meta_info(), nullptr);
  if (added == nullptr) return FALSE;
  as_block_meta(added)->facts = as_block_meta(meta)->facts;
  return TRUE;
}

GType block_meta_api() noexcept {
  static const GType kApi = [] {
    const gchar* tags[] = {"audio", "memory", nullptr};
    return gst_meta_api_type_register("QylonBlockMetaAPI", tags);
  }();
  return kApi;
}

const GstMetaInfo* block_meta_info() noexcept {
  static const GstMetaInfo* const kInfo = gst_meta_register(
      block_meta_api(), "QylonBlockMeta", sizeof(BlockMeta), init_meta, nullptr, copy_meta);
  return kInfo;
}

BlockMeta* find_or_add_block_meta(GstBuffer* buffer) noexcept {
  if (BlockMeta* const found = find_block_meta(buffer)) return found;
  return as_block_meta(gst_buffer_add_meta(buffer, block_meta_info(), nullptr));
}

}  // namespace

BlockMeta* find_block_meta(GstBuffer* buffer) noexcept {
  return as_block_meta(gst_buffer_get_meta(buffer, block_meta_api()));
}

GstFlowReturn BlockOutput::push(std::span<const float> samples, bool invented) {
  GstFlowReturn flow = GST_FLOW_OK;
  while (!samples.empty() && flow >= GST_FLOW_OK) {
    samples = samples.subspan(take(samples, invented));
    if (filled_ >= kBlockSize && (samples.empty() || filled_ == kBufferSamplesMax))
      flow = push_blocks();
  }
  return flow;
}

GstFlowReturn BlockOutput::push_zeros(std::int64_t samples) {
  static constexpr std::array<float, kBufferSamplesMax> kZeros{};
  GstFlowReturn flow = GST_FLOW_OK;
  while (samples > 0 && flow >= GST_FLOW_OK) {
    const std::int64_t count = std::min(samples, static_cast<std::int64_t>(kZeros.size()));
    flow = push(std::span(kZeros).first(static_cast<std::size_t>(count)), true);
    samples -= count;
  }
  return flow;
}

GstFlowReturn BlockOutput::drain() {
  if (filled_ == 0) return GST_FLOW_OK;
  return push_zeros(static_cast<std::int64_t>(kBlockSize - filled_));
}

std::size_t BlockOutput::take(std::span<const float> samples, bool invented) {
  const auto room = output_.room().subspan(filled_);
  const std::size_t count = std::min(samples.size(), room.size());
  std::copy_n(samples.begin(), count, room.begin());
  if (invented) count_invented(filled_, filled_ + count);
  filled_ += count;
  return count;
}

void BlockOutput::count_invented(std::size_t begin, std::size_t end) noexcept {
  while (begin < end) {
    const std::size_t block = begin / kBlockSize;
    const std::size_t next = std::min(end, (block + 1) * kBlockSize);
    invented_samples_[block] = static_cast<std::uint16_t>(invented_samples_[block] + next - begin);
    begin = next;
  }
}

GstFlowReturn BlockOutput::push_blocks() {
  const std::size_t blocks = filled_ / kBlockSize;
  const std::size_t whole = blocks * kBlockSize;
  const auto facts = std::span(find_or_add_block_meta(output_.buffer())->facts).first(blocks);
  for (std::size_t index = 0; index < blocks; ++index) {
    facts[index] = {};
    facts[index].invented = 2 * std::size_t{invented_samples_[index]} >= kBlockSize;
  }
  worker_.work(output_.room().first(whole), facts);

  // Whoever keeps the pushed buffer keeps its memory: the rest moves on in a copy.
  const auto rest = output_.room().subspan(whole, filled_ - whole);
  const std::uint16_t rest_invented = rest.empty() ? std::uint16_t{0} : invented_samples_[blocks];
  std::ranges::copy(rest, rest_.begin());
  const GstFlowReturn flow = output_.push(whole, false);
  std::copy_n(rest_.begin(), rest.size(), output_.room().begin());
  filled_ = rest.size();
  invented_samples_ = {};
  invented_samples_[0] = rest_invented;
  return flow;
}

void BlockOutput::reset() noexcept {
  output_.reset();
  filled_ = 0;
  invented_samples_ = {};
}

}  // namespace qylon::media

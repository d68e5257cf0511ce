#include "media/elements/block_output.hpp"

#include <algorithm>
#include <utility>

namespace qylon::media {
GstFlowReturn BlockOutput::push(BufferPtr buffer) {
  output_.start_at(GST_BUFFER_PTS(buffer.get()));
  const BufferView view(buffer.get());
  const std::size_t samples = view.samples().size();
  if (filled_ == 0 && samples > 0 && samples % kBlockSize == 0) {
    if (BufferMeta* const own = view.own()) return pass(std::move(buffer), *own);
  }
  // Buffers with facts hold whole blocks, and then all of them do.
  if (view.facts() != nullptr) upstream_ = view.facts()->facts;
  const GstFlowReturn flow = push(view.samples(), view.invented());
  upstream_ = {};
  return flow;
}

/// Works on the buffer itself and sends it on.
GstFlowReturn BlockOutput::pass(BufferPtr buffer, BufferMeta& meta) {
  const std::size_t samples = meta.size / sizeof(float);
  const auto facts = std::span(meta.facts).first(samples / kBlockSize);
  if (!meta.has_facts) {
    const bool invented = GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_GAP) == TRUE;
    for (BlockFacts& fact : facts)
      fact = {.invented = invented};
    meta.has_facts = true;
  }
  worker_.work({reinterpret_cast<float*>(meta.data), samples}, facts);
  return output_.pass(std::move(buffer), samples);
}

GstFlowReturn BlockOutput::push(std::span<const float> samples, bool invented) {
  GstFlowReturn flow = GST_FLOW_OK;
  while (!samples.empty() && flow >= GST_FLOW_OK) {
    samples = samples.subspan(take(samples, invented));
    if (filled_ >= kBlockSize && (samples.empty() || filled_ == kPieceSamplesMax))
      flow = push_blocks();
  }
  return flow;
}

GstFlowReturn BlockOutput::push_zeros(std::int64_t samples) {
  static constexpr std::array<float, kPieceSamplesMax> kZeros{};
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
  auto room = output_.room();
  const auto facts = std::span(output_.meta().facts).first(blocks);
  for (std::size_t index = 0; index < blocks; ++index) {
    if (upstream_.empty()) {
      facts[index] = {.invented = 2 * std::size_t{invented_samples_[index]} >= kBlockSize};
    } else {
      facts[index] = upstream_.front();
      upstream_ = upstream_.subspan(1);
    }
  }
  worker_.work(room.first(whole), facts);

  // Whoever keeps the pushed buffer keeps its memory: the rest moves on in a copy.
  std::array<float, kBlockSize> rest;  // NOLINT(*-member-init): written before it is read.
  const std::size_t rest_size = filled_ - whole;
  const std::uint16_t rest_invented = rest_size == 0 ? std::uint16_t{0} : invented_samples_[blocks];
  std::copy_n(room.begin() + static_cast<std::ptrdiff_t>(whole), rest_size, rest.begin());
  const GstFlowReturn flow = output_.push_with_facts(whole);
  room = output_.room();
  std::copy_n(rest.begin(), rest_size, room.begin());
  filled_ = rest_size;
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

#include "media/containers/boundaries.hpp"

#include <algorithm>
#include <bit>

namespace qylon::media {
namespace {

constexpr std::uint64_t kSegment = 0x18538067;
constexpr std::uint64_t kCluster = 0x1F43B675;
constexpr std::uint64_t kTimestamp = 0xE7;
constexpr std::uint64_t kSimpleBlock = 0xA3;
constexpr std::uint64_t kBlockGroup = 0xA0;
constexpr std::size_t kPageHeadBytes = 27;
constexpr int kOpusHeaderPackets = 2;  // OpusHead and OpusTags.

std::uint64_t big_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes)
    value = value << 8 | byte;
  return value;
}

std::uint64_t little_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = value << 8 | bytes[i];
  return value;
}

constexpr std::uint64_t fourcc(const char (&text)[5]) {
  std::uint64_t value = 0;
  for (int i = 0; i < 4; ++i)
    value = value << 8 | static_cast<std::uint8_t>(text[i]);
  return value;
}

}  // namespace

Result<Boundaries::Step> Boundaries::next(std::span<const std::uint8_t> bytes) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    const std::size_t left = bytes.size() - used;
    if (lost_) return Step{bytes.size(), false};
    if (free_running_) {
      const std::size_t whole = free_run(left);
      return Step{used + (whole > 0 ? whole : left), whole > 0};
    }
    if (in_element_) {
      const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, left));
      skip_ -= taken;
      used += taken;
      offset_ += taken;
    } else {
      head_[head_bytes_++] = bytes[used++];
      ++offset_;
      if (const Status read = read_head(); !read) return read.error();
    }
    if (!in_element_ || skip_ > 0) continue;
    in_element_ = false;
    if (boundary_behind_ && header_known_) return Step{used, true};
  }
  return Step{used, false};
}

/// How many of the next `bytes` end with a whole sample; counts what it takes.
std::size_t Boundaries::free_run(std::size_t bytes) {
  const std::uint64_t after = (offset_ - header_bytes_ + bytes) % sample_bytes_;
  const std::size_t whole = after < bytes ? bytes - static_cast<std::size_t>(after) : 0;
  offset_ += whole > 0 ? whole : bytes;
  return whole;
}

void Boundaries::begin(const Element& element) {
  head_bytes_ = 0;
  in_element_ = true;
  skip_ = element.skip;
  boundary_behind_ = element.boundary;
}

void Boundaries::end_header(std::uint64_t offset) {
  if (header_known_) return;
  header_known_ = true;
  header_bytes_ = offset;
}

Status Boundaries::read_head() {
  switch (codec_) {
    case Codec::kWebm:
      read_ebml();
      break;
    case Codec::kMp4:
      return read_box();
    case Codec::kWav:
      read_chunk();
      break;
    case Codec::kFlac:
      read_flac();
      break;
    case Codec::kOgg:
      read_page();
      break;
    default:  // Frames that a decoder finds anywhere, or samples of one byte.
      end_header(0);
      head_bytes_ = 0;
      free_running_ = true;
  }
  return ok();
}

/// Element id (1-4 bytes with its length marker) and size (1-8 bytes without).
void Boundaries::read_ebml() {
  const auto id_bytes = static_cast<std::size_t>(std::countl_zero(head_[0])) + 1;
  if (id_bytes > 4) {
    lost_ = true;
    return;
  }
  if (head_bytes_ <= id_bytes) return;
  const auto size_bytes = static_cast<std::size_t>(std::countl_zero(head_[id_bytes])) + 1;
  if (size_bytes > 8) {
    lost_ = true;
    return;
  }
  if (head_bytes_ < id_bytes + size_bytes) return;
  const std::span<const std::uint8_t> head(head_);
  const std::uint64_t id = big_endian(head.first(id_bytes));
  const std::uint64_t ones = (std::uint64_t{1} << (7 * size_bytes)) - 1;
  const std::uint64_t size = big_endian(head.subspan(id_bytes, size_bytes)) & ones;
  if (id == kCluster) end_header(offset_ - head_bytes_);
  if (id == kSegment || id == kCluster) return begin({});
  if (id == kTimestamp && size <= 8) {
    const std::size_t head_size = id_bytes + size_bytes;
    if (head_bytes_ < head_size + size) return;
    cluster_time_ = big_endian(head.subspan(head_size, static_cast<std::size_t>(size)));
    return begin({});
  }
  lost_ = size == ones;
  begin({size, id == kSimpleBlock || id == kBlockGroup});
}

Status Boundaries::read_box() {
  if (head_bytes_ < 8) return ok();
  const std::span<const std::uint8_t> head(head_);
  std::uint64_t size = big_endian(head.first(4));
  const std::uint64_t type = big_endian(head.subspan(4, 4));
  if (size == 1) {  // The length is in the next 8 bytes.
    if (head_bytes_ < 16) return ok();
    size = big_endian(head.subspan(8, 8));
  }
  if (type == fourcc("moof")) end_header(offset_ - head_bytes_);
  if (type == fourcc("mdat") && !header_known_) {
    return Error{ErrorCode::kInvalidArgument,
                 "this MP4 has its sound before its index or is not fragmented; write it with "
                 "-movflags empty_moov+default_base_moof or +frag_keyframe"};
  }
  lost_ = size < head_bytes_;
  if (!lost_) begin({size - head_bytes_, type == fourcc("mdat")});
  return ok();
}

void Boundaries::read_chunk() {
  if (head_bytes_ < 8) return;
  const std::span<const std::uint8_t> head(head_);
  const std::uint64_t id = big_endian(head.first(4));
  if (id == fourcc("RIFF") || id == fourcc("RF64")) {
    if (head_bytes_ == 12) begin({});
    return;
  }
  const std::uint64_t size = little_endian(head.subspan(4, 4));
  if (id == fourcc("data")) {
    end_header(offset_);
    free_running_ = true;
    return;
  }
  if (id == fourcc("fmt ") && size >= 16) {
    if (head_bytes_ < 24) return;
    sample_bytes_ = std::max<std::uint64_t>(1, little_endian(head.subspan(20, 2)));
  }
  begin({size + size % 2 - (head_bytes_ - 8), false});
}

void Boundaries::read_flac() {
  constexpr std::size_t kMarkerBytes = 4;
  constexpr std::size_t kBlockHeadBytes = 4;
  if (offset_ <= kMarkerBytes) {
    head_bytes_ = 0;
    return;
  }
  if (header_packets_ == 1) {  // The last block has passed.
    end_header(offset_ - 1);
    head_bytes_ = 0;
    free_running_ = true;
    return;
  }
  if (head_bytes_ < kBlockHeadBytes) return;
  const std::span<const std::uint8_t> head(head_);
  if ((head_[0] & 0x80) != 0) header_packets_ = 1;
  begin({big_endian(head.subspan(1, 3)), false});
}

void Boundaries::read_page() {
  if (head_bytes_ < kPageHeadBytes) return;
  const std::size_t segments = head_[kPageHeadBytes - 1];
  if (head_bytes_ < kPageHeadBytes + segments) return;
  std::uint64_t size = 0;
  for (const std::uint8_t lacing : std::span(head_).subspan(kPageHeadBytes, segments)) {
    size += lacing;
    if (lacing < 255) header_packets_ = std::min(header_packets_ + 1, kOpusHeaderPackets);
  }
  if (header_packets_ == kOpusHeaderPackets) end_header(offset_ + size);
  begin({size, true});
}

}  // namespace qylon::media

#include "media/containers/unpacker.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "media/containers/gst_source.hpp"
#include "media/containers/ogg_source.hpp"
#include "media/containers/stream_kind.hpp"

namespace qylon::media {
namespace {

/// A cluster of unknown length: what the blocks of a cut Matroska stream need before them.
std::array<std::uint8_t, 22> cluster_head(std::uint64_t time) {
  std::array<std::uint8_t, 22> head = {
      0x1F, 0x43, 0xB6, 0x75, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xE7, 0x88};
  for (std::size_t i = head.size(); i-- > head.size() - 8; time >>= 8)
    head[i] = static_cast<std::uint8_t>(time & 0xFF);
  return head;
}

/// Nothing marks the beginning of the others.
bool has_signature(Codec codec) {
  return codec != Codec::kMulaw && codec != Codec::kAlaw && codec != Codec::kG722;
}

/// Its reader looks for the next frame behind any bytes, and would do so for ever.
bool is_searched(Codec codec) {
  return codec == Codec::kOgg || codec == Codec::kMp3 || codec == Codec::kAdts;
}
/// A hundred frames and more; in Ogg the heads of all streams come before anything else.
constexpr std::uint64_t kSearchedBytesMax = 64 << 10;

Error wrong_stream(Codec codec) {
  const std::string name(codec_name(codec));
  return {ErrorCode::kInvalidArgument,
          "no " + name + " stream begins with these bytes; name the right codec, or \"auto\""};
}

Error no_frame(Codec codec) {
  return {ErrorCode::kInvalidArgument,
          "no frame of " + std::string(codec_name(codec)) +
              " was found in the stream's first 64 KiB; name the right codec, or \"auto\""};
}

Error unknown_stream() {
  return {ErrorCode::kInvalidArgument,
          "the stream's first bytes are none of webm, ogg, wav, flac, adts, mp3, mp4; name its "
          "codec in the hello"};
}

}  // namespace

Unpacker::Unpacker(PacketSink& sink, Start start)
    : start_(std::move(start)), output_(sink, start_.resume) {
  restart_ = {start_.header.size(), start_.offset, start_.cluster_time, 0, start_.resume.time_us};
}

Status Unpacker::push(std::span<const std::uint8_t> bytes) {
  if (source_) return feed(bytes);
  if (start_.offset > 0 || !has_signature(codec())) {
    if (const Status opened = open(); !opened) return opened;
    return feed(bytes);
  }
  return take_unknown(bytes);
}

/// Skips tags, then tells what the stream is.
Status Unpacker::take_unknown(std::span<const std::uint8_t> bytes) {
  unknown_.insert(unknown_.end(), bytes.begin(), bytes.end());
  for (;;) {
    const std::uint64_t skipped = std::min<std::uint64_t>(id3_left_, unknown_.size());
    unknown_.erase(unknown_.begin(), unknown_.begin() + static_cast<std::ptrdiff_t>(skipped));
    id3_left_ -= skipped;
    offset_ += skipped;
    if (unknown_.size() < kStreamSignatureBytes) return ok();
    id3_left_ = id3_tag_bytes(unknown_);
    if (id3_left_ == 0) break;
  }
  if (codec() == Codec::kAuto) {
    const auto told = tell_stream(unknown_);
    if (!told) return unknown_stream();
    start_.stream.codec = *told;
  }
  if (!can_begin(codec(), unknown_)) return wrong_stream(codec());
  if (const Status opened = open(); !opened) return opened;
  return feed(std::exchange(unknown_, {}));
}

Status Unpacker::open() {
  boundaries_.emplace(start_.stream);
  if (codec() == Codec::kOgg) {
    source_ = make_ogg_source(output_);
  } else {
    auto source = make_gst_source(start_.stream, output_);
    if (!source) return source.error();
    source_ = *std::move(source);
  }
  if (start_.offset == 0) return ok();
  if (!start_.header.empty()) {
    if (const Status fed = feed(std::exchange(start_.header, {})); !fed) return fed;
  }
  offset_ = start_.offset;
  restart_.offset = start_.offset;
  restart_.cluster_time = start_.cluster_time;
  return codec() == Codec::kWebm ? source_->push(cluster_head(start_.cluster_time)) : ok();
}

Status Unpacker::feed(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto step = boundaries_->next(bytes);
    if (!step) return step.error();
    if (const Status pushed = source_->push(bytes.first(step->bytes)); !pushed) return pushed;
    bytes = bytes.subspan(step->bytes);
    offset_ += step->bytes;
    searched_ += step->bytes;
    if (!output_.format() && is_searched(codec()) && searched_ > kSearchedBytesMax)
      return no_frame(codec());
    if (!step->boundary) continue;
    restart_ = {boundaries_->header_bytes(),
                offset_,
                boundaries_->cluster_time(),
                output_.units(),
                output_.time_us()};
  }
  return ok();
}

void Unpacker::finish() {
  if (source_) source_->finish();
  output_.finish();
}

}  // namespace qylon::media

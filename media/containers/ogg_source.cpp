#include "media/containers/ogg_source.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <ogg/ogg.h>

namespace qylon::media {
namespace {

constexpr std::string_view kHeadMagic = "OpusHead";
constexpr std::string_view kTagsMagic = "OpusTags";
constexpr std::size_t kHeadBytesMin = 19;
constexpr std::size_t kChannelsOffset = 9;
constexpr std::size_t kFamilyOffset = 18;
// A header packet may hold pictures; a sound packet has at most 61 kB (RFC 6716 section 3.4).
constexpr long kPacketBytesMax = 1 << 20;

bool begins_with(std::span<const std::uint8_t> packet, std::string_view magic) {
  return packet.size() >= magic.size() &&
         std::memcmp(packet.data(), magic.data(), magic.size()) == 0;
}

Error invalid(const char* message) {
  return {ErrorCode::kInvalidArgument, message};
}

class OggSource final : public ByteSource {
 public:
  explicit OggSource(PacketOutput& output) : output_(output) {
    ogg_sync_init(&sync_);
    ogg_stream_init(&stream_, 0);
  }
  ~OggSource() override {
    ogg_stream_clear(&stream_);
    ogg_sync_clear(&sync_);
  }
  OggSource(const OggSource&) = delete;
  OggSource& operator=(const OggSource&) = delete;
  OggSource(OggSource&&) = delete;
  OggSource& operator=(OggSource&&) = delete;

  Status push(std::span<const std::uint8_t> bytes) override {
    char* const room = ogg_sync_buffer(&sync_, static_cast<long>(bytes.size()));
    if (room == nullptr) return invalid("the Ogg stream needs too much memory");
    std::memcpy(room, bytes.data(), bytes.size());
    ogg_sync_wrote(&sync_, static_cast<long>(bytes.size()));
    ogg_page page{};
    while (const int found = ogg_sync_pageout(&sync_, &page)) {
      if (found < 0) continue;  // Bytes that are no page were skipped.
      if (const Status taken = take_page(page); !taken) return taken;
    }
    return ok();
  }
  void finish() override {}

 private:
  Status take_page(ogg_page& page) {
    if (ogg_page_bos(&page) != 0) ogg_stream_reset_serialno(&stream_, ogg_page_serialno(&page));
    if (ogg_page_serialno(&page) != stream_.serialno) return ok();  // Another stream beside ours.
    ogg_stream_pagein(&stream_, &page);
    if (stream_.body_fill > kPacketBytesMax)
      return invalid("the Ogg stream has a packet of more than 1 MiB");
    ogg_packet packet{};
    while (const int found = ogg_stream_packetout(&stream_, &packet)) {
      if (found < 0) continue;  // A page was lost, as after a resumption.
      const auto size = static_cast<std::size_t>(packet.bytes);
      if (const Status taken = take_packet({packet.packet, size}); !taken) return taken;
    }
    return ok();
  }

  Status take_packet(std::span<const std::uint8_t> packet) {
    if (begins_with(packet, kHeadMagic)) return take_head(packet);
    if (begins_with(packet, kTagsMagic)) return ok();
    if (!output_.format()) return invalid("the Ogg stream does not carry Opus; send Opus in Ogg");
    output_.opus(packet, std::nullopt);
    return ok();
  }

  Status take_head(std::span<const std::uint8_t> head) {
    if (head.size() < kHeadBytesMin) return invalid("the Ogg stream's OpusHead is cut off");
    const int channels = head[kChannelsOffset];
    if (channels < 1 || channels > 2 || head[kFamilyOffset] != 0)
      return invalid("Opus with more than two channels is not taken; send mono or stereo");
    const AudioFormat format{Codec::kOpus, 48000, channels};
    if (!output_.format()) output_.open(format);
    if (*output_.format() == format) return ok();
    return invalid("the Ogg stream changed its channels; begin a new stream");
  }

  PacketOutput& output_;
  ogg_sync_state sync_{};
  ogg_stream_state stream_{};
};

}  // namespace

std::unique_ptr<ByteSource> make_ogg_source(PacketOutput& output) {
  return std::make_unique<OggSource>(output);
}

}  // namespace qylon::media

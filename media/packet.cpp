#include "media/packet.hpp"

#include <cstddef>

#include <opus/opus.h>

namespace qylon::media {
namespace {

/// Samples per channel at 48 kHz, the clock that every Opus duration is whole on; 0 when bad.
std::int64_t opus_samples_48k(std::span<const std::uint8_t> packet) noexcept {
  if (packet.empty()) return 0;
  opus_int16 sizes[48];
  const int frames = opus_packet_parse(
      packet.data(), static_cast<opus_int32>(packet.size()), nullptr, nullptr, sizes, nullptr);
  if (frames <= 0) return 0;
  return std::int64_t{frames} * opus_packet_get_samples_per_frame(packet.data(), 48000);
}

}  // namespace

std::int64_t packet_samples(const AudioFormat& format,
                            std::span<const std::uint8_t> packet,
                            int rate_hz) noexcept {
  if (format.codec == Codec::kOpus) return opus_samples_48k(packet) * rate_hz / 48000;
  const std::size_t frame_bytes = sample_frame_bytes(format);
  if (packet.size() % frame_bytes != 0) return 0;
  const auto frames = static_cast<std::int64_t>(packet.size() / frame_bytes);
  if (frames * 1000 > std::int64_t{kPacketMsMax} * format.sample_rate_hz) return 0;
  return frames * rate_hz / format.sample_rate_hz;
}

}  // namespace qylon::media

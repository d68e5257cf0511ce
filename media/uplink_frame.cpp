#include "media/uplink_frame.hpp"

#include <algorithm>
#include <string>

namespace qylon::media {
namespace {

constexpr std::size_t kTrackOffset = 2;
constexpr std::size_t kSeqOffset = 4;
constexpr std::size_t kCaptureOffset = 12;

std::uint64_t read_big_endian(std::span<const std::uint8_t> bytes) noexcept {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes)
    value = value << 8 | byte;
  return value;
}

void write_big_endian(std::uint64_t value, std::span<std::uint8_t> bytes) noexcept {
  for (std::size_t index = bytes.size(); index-- > 0; value >>= 8)
    bytes[index] = static_cast<std::uint8_t>(value & 0xFF);
}

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

Status check_header(const UplinkFrame& frame) {
  if ((frame.flags & ~kUplinkFlagEnd) != 0)
    return invalid("flags " + std::to_string(frame.flags) + " are unknown; only bit 0 may be set");
  if (frame.seq > kUplinkNumberMax || frame.capture_us > kUplinkNumberMax)
    return invalid("seq and capture_us must be below 2^53");
  return ok();
}

Status check_payload_size(const UplinkFrame& frame, std::size_t payload_bytes) {
  if (payload_bytes > kUplinkPayloadBytesMax) {
    return invalid("the payload has " + std::to_string(payload_bytes) + " bytes; at most " +
                   std::to_string(kUplinkPayloadBytesMax) + " are taken, send shorter packets");
  }
  if (payload_bytes == 0 && !frame.ends_track())
    return invalid("the payload is empty; only the last frame of a track (flag bit 0) may be");
  return ok();
}

}  // namespace

Result<UplinkFrame> parse_uplink(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kUplinkHeaderBytes) {
    return invalid("a frame of " + std::to_string(bytes.size()) +
                   " bytes is too short; the header alone has " +
                   std::to_string(kUplinkHeaderBytes));
  }
  if (bytes[0] != kUplinkVersion) {
    return invalid("version " + std::to_string(bytes[0]) + " is unknown; send version " +
                   std::to_string(kUplinkVersion));
  }
  UplinkFrame frame;
  frame.flags = bytes[1];
  frame.track = static_cast<TrackId>(read_big_endian(bytes.subspan(kTrackOffset, 2)));
  frame.seq = read_big_endian(bytes.subspan(kSeqOffset, 8));
  frame.capture_us = read_big_endian(bytes.subspan(kCaptureOffset, 8));
  const auto payload = bytes.subspan(kUplinkHeaderBytes);
  if (const Status header = check_header(frame); !header) return header.error();
  if (const Status size = check_payload_size(frame, payload.size()); !size) return size.error();
  frame.payload.assign(payload.begin(), payload.end());
  return frame;
}

std::vector<std::uint8_t> encode_uplink(const UplinkFrame& frame) {
  std::vector<std::uint8_t> bytes(kUplinkHeaderBytes + frame.payload.size());
  const std::span<std::uint8_t> all(bytes);
  bytes[0] = kUplinkVersion;
  bytes[1] = frame.flags;
  write_big_endian(frame.track, all.subspan(kTrackOffset, 2));
  write_big_endian(frame.seq, all.subspan(kSeqOffset, 8));
  write_big_endian(frame.capture_us, all.subspan(kCaptureOffset, 8));
  std::ranges::copy(frame.payload, all.subspan(kUplinkHeaderBytes).begin());
  return bytes;
}

}  // namespace qylon::media

#pragma once
/// The binary frame of qylon.v1 uplinks (docs/PROTOCOL.md), all integers big-endian:
///
///   0      1       2        4          12             20
///   | ver8 | flags8 | track16 | seq u64 | capture_us u64 | payload ... |

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace qylon::media {

inline constexpr std::uint8_t kUplinkVersion = 1;
inline constexpr std::size_t kUplinkHeaderBytes = 20;
/// Largest payload: a piece of a stream. 120 ms of 48 kHz stereo float32 would be 46,080; PCM
/// senders use 20 ms (7,680 bytes), Opus packets are at most 1,275 bytes a frame.
inline constexpr std::size_t kUplinkPayloadBytesMax = 32'768;
/// Bit 0 of flags: the last frame of the track; the payload may be empty.
inline constexpr std::uint8_t kUplinkFlagEnd = 0x01;

/// Largest seq and capture_us: acks repeat them in JSON, whose integers are exact to 53 bits.
inline constexpr std::uint64_t kUplinkNumberMax = (std::uint64_t{1} << 53) - 1;

struct UplinkFrame {
  std::uint8_t flags = 0;
  TrackId track = 0;
  std::uint64_t seq = 0;         ///< Rises by one per frame of the track.
  std::uint64_t capture_us = 0;  ///< First sample's time on the sender's clock.
  std::vector<std::uint8_t> payload;

  bool ends_track() const noexcept { return (flags & kUplinkFlagEnd) != 0; }
};

/// Errors: kInvalidArgument for a short frame, another version, unknown flags, a number over
/// kUplinkNumberMax, an empty payload without the end flag, or one over kUplinkPayloadBytesMax.
Result<UplinkFrame> parse_uplink(std::span<const std::uint8_t> bytes);

/// The inverse of parse_uplink.
std::vector<std::uint8_t> encode_uplink(const UplinkFrame& frame);

}  // namespace qylon::media

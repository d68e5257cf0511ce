#pragma once
/// How long a packet is, told from its bytes alone and without decoding it.

#include <cstdint>
#include <span>

#include "media/audio_format.hpp"

namespace qylon::media {

/// Longest packet that is taken [ms]: what Opus allows; PCM is held to the same.
inline constexpr int kPacketMsMax = 120;
/// A `rate_hz` that makes packet_samples() answer in microseconds.
inline constexpr int kMicrosecondRateHz = 1'000'000;

/// Duration of `packet` in samples of a clock of `rate_hz`, rounded down; 0 when it is not a packet
/// of `format`: bad Opus framing, PCM that is not whole sample frames, or over kPacketMsMax.
/// Source : RFC 6716 section 3 (TOC byte and frame packing).
std::int64_t packet_samples(const AudioFormat& format,
                            std::span<const std::uint8_t> packet,
                            int rate_hz) noexcept;

}  // namespace qylon::media

#pragma once
/// What a stream of bytes is, told from its beginning.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "media/audio_format.hpp"

namespace qylon::media {

/// With this many bytes tell_stream() knows, or will never.
inline constexpr std::size_t kStreamSignatureBytes = 12;

/// The codec whose signature `bytes` begin with; nothing when none fits.
std::optional<Codec> tell_stream(std::span<const std::uint8_t> bytes) noexcept;

/// False when no stream of `codec` begins with `bytes`. MPEG audio and what nothing marks (G.711,
/// G.722) may begin anywhere: a relay cuts in where it is switched on.
/// REQUIRES: kStreamSignatureBytes.
bool can_begin(Codec codec, std::span<const std::uint8_t> bytes) noexcept;

inline constexpr std::size_t kId3HeadBytes = 10;
/// Length of the ID3v2 tag at the beginning of `bytes` with its head (ID3v2.4 section 3.1: 28 bits
/// in four bytes, and a footer that a flag announces); 0 when there is none.
/// REQUIRES: at least kId3HeadBytes.
std::uint64_t id3_tag_bytes(std::span<const std::uint8_t> bytes) noexcept;

}  // namespace qylon::media

#pragma once
/// What an uplink says its audio is. The server trusts nothing else about the bytes.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace qylon::media {

enum class Codec : std::uint8_t { kOpus, kPcmS16le, kPcmF32le };

struct AudioFormat {
  Codec codec = Codec::kOpus;
  int sample_rate_hz = 48000;  ///< PCM: 8000..48000. Opus: 48000 (the RTP clock; not the content).
  int channels = 1;            ///< 1 or 2, interleaved; mixed down to mono.

  bool operator==(const AudioFormat&) const = default;
};

/// Bytes of one PCM sample over all channels.
constexpr std::size_t sample_frame_bytes(const AudioFormat& format) noexcept {
  const std::size_t sample_bytes = format.codec == Codec::kPcmF32le ? 4 : 2;
  return sample_bytes * static_cast<std::size_t>(format.channels);
}

std::string_view codec_name(Codec codec) noexcept;  ///< "opus", "pcm_s16le", "pcm_f32le".
/// Errors: kInvalidArgument that lists what is taken (docs/PROTOCOL.md, hello).
Result<AudioFormat> make_audio_format(std::string_view codec, int sample_rate_hz, int channels);

}  // namespace qylon::media

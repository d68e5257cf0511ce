#pragma once
/// What an uplink says its audio is. The server trusts nothing else about the bytes.
///
/// A packet codec's frames are packets. A stream codec's frames are the next piece of a file that
/// is still being written: pieces of any length, cut anywhere, whose bytes say the rest themselves.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace qylon::media {

enum class Codec : std::uint8_t {
  kOpus,  // Packet codecs.
  kPcmS16le,
  kPcmF32le,
  kAuto,  // Stream codecs; kAuto: told apart by their first bytes.
  kWebm,  ///< Also Matroska.
  kOgg,
  kWav,
  kFlac,
  kAdts,
  kMp3,
  kMp4,  ///< Fragmented.
  kMulaw,
  kAlaw,
  kG722,
};

/// True for the codecs whose frames are pieces of a stream of bytes.
constexpr bool is_stream(Codec codec) noexcept {
  return codec >= Codec::kAuto;
}

struct AudioFormat {
  Codec codec = Codec::kOpus;
  /// PCM: 4000..192000. Opus: 48000 (the RTP clock; not the content). Streams: see
  /// default_sample_rate_hz().
  int sample_rate_hz = 48000;
  int channels = 1;  ///< 1 or 2, interleaved; mixed down to mono.

  bool operator==(const AudioFormat&) const = default;
};

/// The rate of a stream whose bytes do not tell it (G.711: RFC 3551 section 4.5; G.722: what it
/// decodes to); for all others 48000, which means nothing.
constexpr int default_sample_rate_hz(Codec codec) noexcept {
  if (codec == Codec::kMulaw || codec == Codec::kAlaw) return 8000;
  return codec == Codec::kG722 ? 16000 : 48000;
}

/// Bytes of one PCM sample over all channels. REQUIRES: a PCM codec.
constexpr std::size_t sample_frame_bytes(const AudioFormat& format) noexcept {
  const std::size_t sample_bytes = format.codec == Codec::kPcmF32le ? 4 : 2;
  return sample_bytes * static_cast<std::size_t>(format.channels);
}

std::string_view codec_name(Codec codec) noexcept;  ///< As in a hello: "opus", "webm".
/// `sample_rate_hz` and `channels` may be 0 for a stream codec: the stream says them, or it has the
/// default; what is given is used only where the bytes say nothing (mulaw, alaw).
/// Errors: kInvalidArgument that lists what is taken (docs/PROTOCOL.md, hello).
Result<AudioFormat> make_audio_format(std::string_view codec, int sample_rate_hz, int channels);

}  // namespace qylon::media

#include "media/audio_format.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace qylon::media {
namespace {

constexpr int kRateHzMin = 4000;
constexpr int kRateHzMax = 192000;
struct NamedCodec {
  Codec codec;
  std::string_view name;
};
constexpr std::array<NamedCodec, 14> kCodecs = {{{Codec::kOpus, "opus"},
                                                 {Codec::kPcmS16le, "pcm_s16le"},
                                                 {Codec::kPcmF32le, "pcm_f32le"},
                                                 {Codec::kAuto, "auto"},
                                                 {Codec::kWebm, "webm"},
                                                 {Codec::kOgg, "ogg"},
                                                 {Codec::kWav, "wav"},
                                                 {Codec::kFlac, "flac"},
                                                 {Codec::kAdts, "adts"},
                                                 {Codec::kMp3, "mp3"},
                                                 {Codec::kMp4, "mp4"},
                                                 {Codec::kMulaw, "mulaw"},
                                                 {Codec::kAlaw, "alaw"},
                                                 {Codec::kG722, "g722"}}};
/// What a message repeats of a peer's text; a name longer than any codec's says nothing more.
constexpr std::size_t kQuotedMax = 32;

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

std::optional<Codec> find_codec(std::string_view name) {
  const auto* const found = std::ranges::find(kCodecs, name, &NamedCodec::name);
  if (found == kCodecs.end()) return std::nullopt;
  return found->codec;
}

std::string codec_names() {
  std::string list;
  for (const NamedCodec& known : kCodecs)
    list += (list.empty() ? "" : ", ") + std::string(known.name);
  return list;
}

}  // namespace

std::string_view codec_name(Codec codec) noexcept {
  return std::ranges::find(kCodecs, codec, &NamedCodec::codec)->name;
}

Result<AudioFormat> make_audio_format(std::string_view codec, int sample_rate_hz, int channels) {
  const auto known = find_codec(codec);
  if (!known) {
    return invalid("codec \"" + std::string(codec.substr(0, kQuotedMax)) +
                   "\" is not taken; use one of " + codec_names());
  }
  if (is_stream(*known)) {
    if (sample_rate_hz == 0) sample_rate_hz = default_sample_rate_hz(*known);
    if (channels == 0) channels = 1;
  }
  if (*known == Codec::kOpus && sample_rate_hz != 48000) {
    return invalid("sample_rate_hz " + std::to_string(sample_rate_hz) +
                   " is not taken for opus; use 48000");
  }
  if (sample_rate_hz < kRateHzMin || sample_rate_hz > kRateHzMax) {
    return invalid("sample_rate_hz " + std::to_string(sample_rate_hz) + " is not taken for " +
                   std::string(codec) + "; use 4000 to 192000");
  }
  if (channels != 1 && channels != 2)
    return invalid("channels " + std::to_string(channels) + " is not taken; use 1 or 2");
  return AudioFormat{*known, sample_rate_hz, channels};
}

}  // namespace qylon::media

#include "media/containers/stream_kind.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace qylon::media {
namespace {

bool has(std::span<const std::uint8_t> bytes, std::size_t at, std::string_view signature) {
  if (bytes.size() < at + signature.size()) return false;
  return std::ranges::equal(bytes.subspan(at, signature.size()), signature, [](auto a, char b) {
    return a == static_cast<std::uint8_t>(b);
  });
}

}  // namespace

std::optional<Codec> tell_stream(std::span<const std::uint8_t> bytes) noexcept {
  if (has(bytes, 0, "\x1A\x45\xDF\xA3")) return Codec::kWebm;
  if (has(bytes, 0, "OggS")) return Codec::kOgg;
  if (has(bytes, 0, "fLaC")) return Codec::kFlac;
  if ((has(bytes, 0, "RIFF") || has(bytes, 0, "RF64")) && has(bytes, 8, "WAVE")) return Codec::kWav;
  if (has(bytes, 4, "ftyp") || has(bytes, 4, "styp")) return Codec::kMp4;
  if (bytes.size() < 2 || bytes[0] != 0xFF) return std::nullopt;
  // Both begin with twelve ones; layer 0 is ADTS, layer 3 (bits 01) is MP3.
  if ((bytes[1] & 0xF6) == 0xF0) return Codec::kAdts;
  if ((bytes[1] & 0xE6) == 0xE2) return Codec::kMp3;
  return std::nullopt;
}

bool can_begin(Codec codec, std::span<const std::uint8_t> bytes) noexcept {
  // ISO 14496-12 asks for ftyp first; fragments that are sent one by one have other boxes there.
  constexpr std::array<std::string_view, 7> kFirstBoxes = {
      "ftyp", "styp", "moov", "moof", "sidx", "free", "skip"};
  switch (codec) {
    case Codec::kWebm:
    case Codec::kOgg:
    case Codec::kWav:
    case Codec::kFlac:
      return tell_stream(bytes) == codec;
    case Codec::kMp4:
      return std::ranges::any_of(kFirstBoxes, [bytes](auto box) { return has(bytes, 4, box); });
    default:
      return true;
  }
}

std::uint64_t id3_tag_bytes(std::span<const std::uint8_t> bytes) noexcept {
  if (!has(bytes, 0, "ID3")) return 0;
  std::uint64_t size = 0;
  for (const std::uint8_t byte : bytes.subspan(6, 4))
    size = size << 7 | (byte & 0x7F);
  const bool footer = (bytes[5] & 0x10) != 0;
  return size + kId3HeadBytes + (footer ? kId3HeadBytes : 0);
}

}  // namespace qylon::media

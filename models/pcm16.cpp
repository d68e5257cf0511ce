#include "models/pcm16.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "models/recogniser.hpp"

namespace qylon::models {
namespace {

std::int16_t to_pcm16(float sample) {
  if (std::isnan(sample)) return 0;
  const float scaled = std::clamp(sample, -1.0F, 1.0F) * 32767.0F;
  return static_cast<std::int16_t>(std::lrintf(scaled));
}

template <typename Integer>
void append_le(std::string& out, Integer value) {
  for (std::size_t byte = 0; byte < sizeof value; ++byte)
    out += static_cast<char>((static_cast<std::uint32_t>(value) >> (8 * byte)) & 0xFFU);
}

}  // namespace

void append_pcm16(std::span<const float> samples, std::vector<std::int16_t>& out) {
  out.reserve(out.size() + samples.size());
  for (const float sample : samples)
    out.push_back(to_pcm16(sample));
}

std::string wav_file(std::span<const std::int16_t> samples) {
  const auto data_bytes = static_cast<std::uint32_t>(samples.size() * 2);
  std::string file;
  file.reserve(44 + data_bytes);
  file += "RIFF";
  append_le<std::uint32_t>(file, 36 + data_bytes);
  file += "WAVEfmt ";
  append_le<std::uint32_t>(file, 16);
  append_le<std::uint16_t>(file, 1);  // Integer PCM.
  append_le<std::uint16_t>(file, 1);  // Channels.
  append_le<std::uint32_t>(file, kRecogniserRateHz);
  append_le<std::uint32_t>(file, kRecogniserRateHz * 2);
  append_le<std::uint16_t>(file, 2);   // Bytes per sample frame.
  append_le<std::uint16_t>(file, 16);  // Bits per sample.
  file += "data";
  append_le<std::uint32_t>(file, data_bytes);
  for (const std::int16_t sample : samples)
    append_le<std::uint16_t>(file, static_cast<std::uint16_t>(sample));
  return file;
}

}  // namespace qylon::models

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace qylon::test {

/// Writes `interleaved` (full scale +-1) as 16-bit PCM in a RIFF WAVE file
/// (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0", 1991).
struct WavFile {
  int sample_rate_hz = 16000;
  int channels = 1;
  std::vector<float> interleaved;

  void write(const std::string& path) const {
    std::string bytes = "RIFF";
    const auto data_bytes = static_cast<std::uint32_t>(interleaved.size() * 2);
    append(bytes, 36 + data_bytes, 4);
    bytes += "WAVEfmt ";
    append(bytes, 16, 4);
    append(bytes, 1, 2);
    append(bytes, static_cast<std::uint32_t>(channels), 2);
    append(bytes, static_cast<std::uint32_t>(sample_rate_hz), 4);
    append(bytes, static_cast<std::uint32_t>(sample_rate_hz * channels * 2), 4);
    append(bytes, static_cast<std::uint32_t>(channels * 2), 2);
    append(bytes, 16, 2);
    bytes += "data";
    append(bytes, data_bytes, 4);
    for (const float sample : interleaved) {
      const float clamped = std::clamp(sample, -1.0F, 32767.0F / 32768.0F);
      append(bytes, static_cast<std::uint32_t>(std::lround(clamped * 32768.0F)), 2);
    }
    std::ofstream(path, std::ios::binary) << bytes;
  }

  /// The samples of a file of 16-bit PCM, full scale +-1; none when it has no data.
  static std::vector<float> read_samples(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const std::size_t data = bytes.find("data");
    std::vector<float> samples;
    if (data == std::string::npos) return samples;
    for (std::size_t at = data + 8; at + 1 < bytes.size(); at += 2) {
      std::int16_t sample = 0;
      std::memcpy(&sample, bytes.data() + at, sizeof sample);
      samples.push_back(static_cast<float>(sample) / 32768.0F);
    }
    return samples;
  }

 private:
  static void append(std::string& bytes, std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i)
      bytes += static_cast<char>((value >> (8 * i)) & 0xFFU);
  }
};

}  // namespace qylon::test

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
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

 private:
  static void append(std::string& bytes, std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i)
      bytes += static_cast<char>((value >> (8 * i)) & 0xFFU);
  }
};

}  // namespace qylon::test

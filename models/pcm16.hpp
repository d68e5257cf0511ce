#pragma once
/// 16-bit PCM, the form in which speech waits and travels to engines.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qylon::models {

/// Appends `samples` (float32, full scale +-1) rounded to the nearest int16; outside full scale is
/// clipped, not-a-number becomes 0.
void append_pcm16(std::span<const float> samples, std::vector<std::int16_t>& out);

/// RIFF/WAVE file of mono 16 kHz s16le samples (44-byte header, then the data).
std::string wav_file(std::span<const std::int16_t> samples);

}  // namespace qylon::models

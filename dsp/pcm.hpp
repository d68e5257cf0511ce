#pragma once
/// Samples as they travel and samples as we compute: little-endian bytes to float32, full scale
/// +-1.

#include <cstdint>
#include <span>

namespace qylon::dsp {

/// Input   : uint8[2 * n], signed 16-bit little-endian; any alignment.
/// Output  : float32[n] = value / 32768, in [-1, 1).
/// REQUIRES: out.size() == bytes.size() / 2. An odd last byte is ignored.
void s16le_to_float(std::span<const std::uint8_t> bytes, std::span<float> out) noexcept;

/// Input   : uint8[4 * n], IEEE 754 binary32 little-endian; any alignment.
/// Output  : float32[n] in [-1, 1]: louder samples are clamped, NaN and infinities become 0, so
///           that one broken sender cannot poison the state of a filter.
/// REQUIRES: out.size() == bytes.size() / 4. Up to three last bytes are ignored.
void f32le_to_float(std::span<const std::uint8_t> bytes, std::span<float> out) noexcept;

/// Input   : float32[frames, channels] interleaved.
/// Output  : float32[frames], the mean of the channels.
/// REQUIRES: channels >= 1; interleaved.size() == out.size() * channels. `out` may be the front of
///           `interleaved` itself.
void mix_to_mono(std::span<const float> interleaved, int channels, std::span<float> out) noexcept;

}  // namespace qylon::dsp

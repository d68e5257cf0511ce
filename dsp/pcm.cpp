#include "dsp/pcm.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "core/check.hpp"

namespace qylon::dsp {

static_assert(std::endian::native == std::endian::little, "samples are read as they lie in memory");

void s16le_to_float(std::span<const std::uint8_t> bytes, std::span<float> out) noexcept {
  QYLON_CHECK(out.size() == bytes.size() / sizeof(std::int16_t));
  const std::uint8_t* from = bytes.data();
  for (float& sample : out) {
    std::int16_t value = 0;
    std::memcpy(&value, from, sizeof value);
    from += sizeof value;
    sample = static_cast<float>(value) * (1.0F / 32768.0F);
  }
}

void f32le_to_float(std::span<const std::uint8_t> bytes, std::span<float> out) noexcept {
  QYLON_CHECK(out.size() == bytes.size() / sizeof(float));
  const std::uint8_t* from = bytes.data();
  for (float& sample : out) {
    float value = 0.0F;
    std::memcpy(&value, from, sizeof value);
    from += sizeof value;
    sample = std::isfinite(value) ? std::clamp(value, -1.0F, 1.0F) : 0.0F;
  }
}

void mix_to_mono(std::span<const float> interleaved, int channels, std::span<float> out) noexcept {
  QYLON_CHECK(channels >= 1);
  const auto stride = static_cast<std::size_t>(channels);
  QYLON_CHECK(interleaved.size() == out.size() * stride);
  const float scale = 1.0F / static_cast<float>(channels);
  for (std::size_t frame = 0; frame < out.size(); ++frame) {
    float sum = 0.0F;
    for (std::size_t channel = 0; channel < stride; ++channel) {
      sum += interleaved[frame * stride + channel];
    }
    out[frame] = sum * scale;
  }
}

}  // namespace qylon::dsp

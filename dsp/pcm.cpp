#include "dsp/pcm.hpp"

#include <cstddef>

#include "core/check.hpp"
#include "dsp/kernels.hpp"

namespace qylon::dsp {

void s16le_to_float(std::span<const std::uint8_t> bytes, std::span<float> out) noexcept {
  QYLON_CHECK(out.size() == bytes.size() / sizeof(std::int16_t));
  kernels().from_s16le(bytes.data(), out.size(), out.data());
}

void f32le_to_float(std::span<const std::uint8_t> bytes, std::span<float> out) noexcept {
  QYLON_CHECK(out.size() == bytes.size() / sizeof(float));
  kernels().from_f32le(bytes.data(), out.size(), out.data());
}

void mix_to_mono(std::span<const float> interleaved, int channels, std::span<float> out) noexcept {
  QYLON_CHECK(channels >= 1);
  const auto stride = static_cast<std::size_t>(channels);
  QYLON_CHECK(interleaved.size() == out.size() * stride);
  if (channels == 2) {
    kernels().mean_of_pairs(interleaved.data(), out.size(), out.data());
    return;
  }
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

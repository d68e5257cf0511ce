#include "dsp/pcm.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::dsp {
namespace {

TEST(Pcm, MapsSixteenBitsToFullScale) {
  // 0x8000 = -32768, 0x7FFF = 32767, 1, -1, little-endian; the odd byte is no sample.
  const std::array<std::uint8_t, 9> bytes = {0x00, 0x80, 0xFF, 0x7F, 0x01, 0x00, 0xFF, 0xFF, 0x55};
  std::array<float, 4> samples{};
  s16le_to_float(bytes, samples);
  EXPECT_EQ(samples[0], -1.0F);
  EXPECT_EQ(samples[1], 32767.0F / 32768.0F);
  EXPECT_EQ(samples[2], 1.0F / 32768.0F);
  EXPECT_EQ(samples[3], -1.0F / 32768.0F);
}

TEST(Pcm, ReadsSixteenBitsOfAnySizeAndAlignment) {
  std::vector<std::uint8_t> bytes(150);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i * 89 + 7);
  for (std::size_t count = 0; count <= 67; ++count) {
    for (const std::size_t shift : {0, 1, 3}) {
      std::vector<float> samples(count);
      s16le_to_float(std::span(bytes).subspan(shift, 2 * count), samples);
      for (std::size_t i = 0; i < count; ++i) {
        const int value = bytes[shift + 2 * i] | (bytes[shift + 2 * i + 1] << 8);
        const int wrapped = value >= 32768 ? value - 65536 : value;
        ASSERT_EQ(samples[i], static_cast<float>(wrapped) / 32768.0F);
      }
    }
  }
}

std::vector<float> through_bytes(const std::vector<float>& values) {
  std::vector<std::uint8_t> bytes(4 * values.size() + 1);
  std::memcpy(bytes.data() + 1, values.data(), 4 * values.size());  // Misaligned on purpose.
  std::vector<float> samples(values.size());
  f32le_to_float(std::span(bytes).subspan(1), samples);
  return samples;
}

TEST(Pcm, PassesFloatsWithinFullScale) {
  const std::vector<float> values = {0.0F, 1.0F, -1.0F, 0.25F, 1e-30F};
  EXPECT_EQ(through_bytes(values), values);
}

TEST(Pcm, ClampsLouderFloats) {
  EXPECT_EQ(through_bytes({1.5F, -3e38F}), (std::vector<float>{1.0F, -1.0F}));
}

TEST(Pcm, TurnsWhatIsNoNumberIntoSilence) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float not_a_number = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(through_bytes({not_a_number, kInfinity, -kInfinity, 0.5F}),
            (std::vector<float>{0.0F, 0.0F, 0.0F, 0.5F}));
}

TEST(Pcm, MixesToTheMeanOfTheChannels) {
  const std::array<float, 6> interleaved = {1.0F, 0.0F, 0.5F, -0.5F, 0.25F, 0.75F};
  std::array<float, 3> stereo{};
  mix_to_mono(interleaved, 2, stereo);
  EXPECT_EQ(stereo, (std::array<float, 3>{0.5F, 0.0F, 0.5F}));
  std::array<float, 2> three{};
  mix_to_mono(interleaved, 3, three);
  EXPECT_FLOAT_EQ(three[0], 0.5F);
  EXPECT_FLOAT_EQ(three[1], 0.5F / 3.0F);
}

TEST(Pcm, MixesInPlace) {
  std::vector<float> samples = {1.0F, 0.0F, 0.5F, -0.5F};
  mix_to_mono(samples, 2, std::span(samples).first(2));
  EXPECT_EQ(samples[0], 0.5F);
  EXPECT_EQ(samples[1], 0.0F);
}

}  // namespace
}  // namespace qylon::dsp

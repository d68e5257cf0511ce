#include "media/opus_encoder.hpp"

#include <cmath>
#include <memory>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>
#include <opus/opus.h>

namespace qylon::media {
namespace {

std::vector<float> tone(double hz, std::size_t samples) {
  std::vector<float> signal(samples);
  for (std::size_t n = 0; n < samples; ++n) {
    signal[n] = 0.5F * static_cast<float>(
                           std::sin(2 * std::numbers::pi * hz * static_cast<double>(n) / 48'000));
  }
  return signal;
}

TEST(OpusPacketEncoder, MakesPacketsOf20MsThatLibopusReadsBack) {
  auto encoder = OpusPacketEncoder::create({});
  ASSERT_TRUE(encoder) << encoder.error().message;
  ASSERT_EQ(encoder->frame_samples(), 960U);
  const auto signal = tone(440, 48'000);
  int error = 0;
  const std::unique_ptr<OpusDecoder, decltype(&opus_decoder_destroy)> decoder(
      opus_decoder_create(48'000, 1, &error), opus_decoder_destroy);
  std::vector<float> decoded(signal.size());
  for (std::size_t at = 0; at < signal.size(); at += 960) {
    const auto packet = encoder->encode(std::span(signal).subspan(at, 960));
    ASSERT_EQ(opus_packet_get_nb_samples(packet.data(), static_cast<int>(packet.size()), 48'000),
              960);
    ASSERT_EQ(opus_decode_float(decoder.get(),
                                packet.data(),
                                static_cast<int>(packet.size()),
                                decoded.data() + at,
                                960,
                                0),
              960);
  }
  // The tone's power is 0.125; the second half is free of the codec's start.
  double power = 0;
  for (std::size_t n = 24'000; n < 48'000; ++n)
    power += static_cast<double>(decoded[n]) * static_cast<double>(decoded[n]) / 24'000;
  EXPECT_NEAR(10 * std::log10(power / 0.125), 0.0, 1.0);
}

TEST(OpusPacketEncoder, StaysNearTheAskedBitrate) {
  auto encoder = OpusPacketEncoder::create({.bitrate_bps = 24'000});
  ASSERT_TRUE(encoder);
  // White noise from a linear congruential generator: the hardest signal for a codec.
  std::vector<float> noise(960);
  std::uint32_t state = 1;
  std::size_t bytes = 0;
  for (int i = 0; i < 100; ++i) {
    for (float& sample : noise) {
      state = state * 1664525U + 1013904223U;
      sample = static_cast<float>(state >> 8U) / static_cast<float>(1U << 24U) - 0.5F;
    }
    bytes += encoder->encode(noise).size();
  }
  // Variable bitrate: 2 s of 24 kbit/s are 6000 bytes.
  EXPECT_LT(bytes, 6000 * 5 / 4);
}

TEST(OpusPacketEncoder, RefusesWhatOpusDoesNotKnow) {
  EXPECT_FALSE(OpusPacketEncoder::create({.sample_rate_hz = 44'100}));
  EXPECT_FALSE(OpusPacketEncoder::create({.bitrate_bps = 100}));
  EXPECT_FALSE(OpusPacketEncoder::create({.frame_ms = 15}));
  EXPECT_FALSE(OpusPacketEncoder::create({.complexity = 11}));
}

TEST(OpusPacketEncoder, TellsItsDelayForThePreSkip) {
  const auto encoder = OpusPacketEncoder::create({});
  ASSERT_TRUE(encoder);
  // libopus: 2.5 ms of overlap and 4 ms of delay compensation at 48 kHz.
  EXPECT_EQ(encoder->lookahead_samples(), 312);
}

}  // namespace
}  // namespace qylon::media

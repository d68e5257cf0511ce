#include "media/packet.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace qylon::media {
namespace {

constexpr AudioFormat kOpus{Codec::kOpus, 48000, 1};

std::int64_t opus_us(std::vector<std::uint8_t> packet) {
  return packet_samples(kOpus, packet, kMicrosecondRateHz);
}

/// TOC byte of RFC 6716 section 3.1: configuration, mono, frame count code.
std::uint8_t toc(int config, int code) {
  return static_cast<std::uint8_t>(config << 3 | code);
}

TEST(PacketSamples, OpusFrameLengthsFollowTable2OfRfc6716) {
  const int silk_us[] = {10'000, 20'000, 40'000, 60'000};
  for (int config = 0; config < 12; ++config)
    EXPECT_EQ(opus_us({toc(config, 0), 0}), silk_us[config % 4]) << config;
  for (int config = 12; config < 16; ++config)
    EXPECT_EQ(opus_us({toc(config, 0), 0}), config % 2 == 0 ? 10'000 : 20'000) << config;
  const int celt_us[] = {2'500, 5'000, 10'000, 20'000};
  for (int config = 16; config < 32; ++config)
    EXPECT_EQ(opus_us({toc(config, 0), 0}), celt_us[config % 4]) << config;
}

TEST(PacketSamples, OpusPacketsOfSeveralFramesAddUp) {
  EXPECT_EQ(opus_us({toc(31, 1), 0, 0}), 40'000);                     // Two frames of equal size.
  EXPECT_EQ(opus_us({toc(31, 3), 0x06, 1, 2, 3, 4, 5, 6}), 120'000);  // Six frames, CBR.
}

TEST(PacketSamples, WhatIsNoOpusPacketHasNoLength) {
  EXPECT_EQ(opus_us({}), 0);
  EXPECT_EQ(opus_us({toc(31, 1), 0}), 0);                          // R3: halves must be equal.
  EXPECT_EQ(opus_us({toc(31, 3)}), 0);                             // R6: no frame count byte.
  EXPECT_EQ(opus_us({toc(31, 3), 0x00}), 0);                       // R5: no frames at all.
  EXPECT_EQ(opus_us({toc(31, 3), 0x07, 1, 2, 3, 4, 5, 6, 7}), 0);  // R5: 140 ms.
}

TEST(PacketSamples, PcmLengthFollowsFromItsSize) {
  const AudioFormat stereo{Codec::kPcmF32le, 44100, 2};
  EXPECT_EQ(packet_samples(stereo, std::vector<std::uint8_t>(882 * 8), 16000), 320);
  // 1024 / 44100 s = 23219.95 us = 371.5 samples at 16 kHz.
  const std::vector<std::uint8_t> odd(1024 * 8);
  EXPECT_EQ(packet_samples(stereo, odd, kMicrosecondRateHz), 23'219);
  EXPECT_EQ(packet_samples(stereo, odd, 16000), 371);
}

TEST(PacketSamples, PcmThatIsCutOrTooLongHasNoLength) {
  const AudioFormat mono{Codec::kPcmS16le, 16000, 1};
  EXPECT_EQ(packet_samples(mono, std::vector<std::uint8_t>(3), 16000), 0);
  EXPECT_EQ(packet_samples(mono, {}, 16000), 0);
  EXPECT_EQ(packet_samples(mono, std::vector<std::uint8_t>(2 * 1920), 16000), 1920);
  EXPECT_EQ(packet_samples(mono, std::vector<std::uint8_t>(2 * 1921), 16000), 0);
}

}  // namespace
}  // namespace qylon::media

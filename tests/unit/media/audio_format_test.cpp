#include "media/audio_format.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::media {
namespace {

TEST(AudioFormat, EveryCodecIsFoundByItsName) {
  for (const Codec codec : {Codec::kOpus, Codec::kPcmS16le, Codec::kPcmF32le}) {
    const auto format = make_audio_format(codec_name(codec), 48000, 2);
    ASSERT_TRUE(format);
    EXPECT_EQ(format->codec, codec);
    EXPECT_EQ(format->sample_rate_hz, 48000);
    EXPECT_EQ(format->channels, 2);
  }
}

TEST(AudioFormat, EveryDocumentedPcmRateIsTaken) {
  for (const int rate_hz : {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})
    EXPECT_TRUE(make_audio_format("pcm_s16le", rate_hz, 1)) << rate_hz;
}

TEST(AudioFormat, AnUnknownCodecIsToldWhichAreTaken) {
  const auto format = make_audio_format("mp3", 48000, 1);
  ASSERT_FALSE(format);
  EXPECT_EQ(format.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(format.error().message, "codec \"mp3\" is not taken; use opus, pcm_s16le or pcm_f32le");
}

TEST(AudioFormat, AnEndlessCodecNameIsNotRepeatedInFull) {
  const auto format = make_audio_format(std::string(100'000, 'x'), 48000, 1);
  ASSERT_FALSE(format);
  EXPECT_LT(format.error().message.size(), 200U);
}

TEST(AudioFormat, OpusHasOneClock) {
  const auto format = make_audio_format("opus", 16000, 1);
  ASSERT_FALSE(format);
  EXPECT_EQ(format.error().message, "sample_rate_hz 16000 is not taken for opus; use 48000");
}

TEST(AudioFormat, AnUnknownRateIsToldWhichAreTaken) {
  const auto format = make_audio_format("pcm_f32le", 96000, 1);
  ASSERT_FALSE(format);
  EXPECT_EQ(format.error().message,
            "sample_rate_hz 96000 is not taken for pcm_f32le; use one of 8000, 11025, 12000, "
            "16000, 22050, 24000, 32000, 44100, 48000");
}

TEST(AudioFormat, OnlyMonoAndStereoAreTaken) {
  for (const int channels : {-1, 0, 3}) {
    const auto format = make_audio_format("opus", 48000, channels);
    ASSERT_FALSE(format);
    EXPECT_NE(format.error().message.find("use 1 or 2"), std::string::npos);
  }
}

}  // namespace
}  // namespace qylon::media

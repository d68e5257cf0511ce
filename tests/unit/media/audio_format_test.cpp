#include "media/audio_format.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::media {
namespace {

TEST(AudioFormat, EveryCodecIsFoundByItsName) {
  for (int index = 0; index <= static_cast<int>(Codec::kG722); ++index) {
    const auto codec = static_cast<Codec>(index);
    const auto format = make_audio_format(codec_name(codec), 48000, 2);
    ASSERT_TRUE(format);
    EXPECT_EQ(format->codec, codec);
    EXPECT_EQ(format->sample_rate_hz, 48000);
    EXPECT_EQ(format->channels, 2);
  }
}

TEST(AudioFormat, AnyPcmRateFromFourToAHundredAndNinetyTwoKilohertzIsTaken) {
  for (const int rate_hz : {4000, 8000, 11025, 22254, 37800, 48000, 48003, 96000, 192000})
    EXPECT_TRUE(make_audio_format("pcm_s16le", rate_hz, 1)) << rate_hz;
}

TEST(AudioFormat, AnUnknownCodecIsToldWhichAreTaken) {
  const auto format = make_audio_format("aiff", 48000, 1);
  ASSERT_FALSE(format);
  EXPECT_EQ(format.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(format.error().message,
            "codec \"aiff\" is not taken; use one of opus, pcm_s16le, pcm_f32le, auto, webm, ogg, "
            "wav, flac, adts, mp3, mp4, mulaw, alaw, g722");
}

TEST(AudioFormat, AStreamNeedsNoRateAndNoChannels) {
  const auto webm = make_audio_format("webm", 0, 0);
  ASSERT_TRUE(webm);
  EXPECT_TRUE(is_stream(webm->codec));
  const auto mulaw = make_audio_format("mulaw", 0, 0);  // RFC 3551 section 4.5.14.
  ASSERT_TRUE(mulaw);
  EXPECT_EQ(mulaw->sample_rate_hz, 8000);
  EXPECT_EQ(mulaw->channels, 1);
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

TEST(AudioFormat, ARateOutsideIsToldWhichAreTaken) {
  for (const int rate_hz : {3999, 192001}) {
    const auto format = make_audio_format("pcm_f32le", rate_hz, 1);
    ASSERT_FALSE(format);
    EXPECT_EQ(format.error().message,
              "sample_rate_hz " + std::to_string(rate_hz) +
                  " is not taken for pcm_f32le; use 4000 to 192000");
  }
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

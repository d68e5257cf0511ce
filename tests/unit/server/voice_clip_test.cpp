#include "server/voice_clip.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/support/fuzz_corpus.hpp"
#include "tests/support/synthetic_voices.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wav.hpp"

#define LLVMFuzzerTestOneInput fuzz_voice_clip
#include "tests/fuzz/server_voice_clip_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace qylon::server {
namespace {

std::string bytes_of(const test::WavFile& wav) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/clip.wav";
  wav.write(path);
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(VoiceClip, SamplesAreReadBehindOtherChunks) {
  std::string bytes = bytes_of({.interleaved = {0.5F, -1.0F, 0.25F}});
  bytes.insert(12, std::string("LIST\x03\0\0\0abc\0", 12));
  const auto samples = parse_wav(bytes);
  ASSERT_TRUE(samples) << samples.error().message;
  EXPECT_EQ(*samples, (std::vector<float>{0.5F, -1.0F, 0.25F}));
}

TEST(VoiceClip, WhatIsNotTakenIsSaid) {
  const auto why = [](const std::string& bytes) {
    const auto samples = parse_wav(bytes);
    return samples ? std::string() : samples.error().message;
  };
  EXPECT_NE(why(bytes_of({.sample_rate_hz = 48000, .interleaved = {0}})).find("48000 Hz"),
            std::string::npos);
  EXPECT_NE(why(bytes_of({.channels = 2, .interleaved = {0, 0}})).find("2 channels"),
            std::string::npos);
  EXPECT_NE(why("OggS").find("no WAV file"), std::string::npos);
}

TEST(VoiceClip, NobodySpeaksInSilence) {
  const auto model = diarization::EmbeddingModel::load_default();
  ASSERT_TRUE(model);
  const auto heard = hear_clip(*model, bytes_of({.interleaved = std::vector<float>(48'000, 0.0F)}));
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().message, "nobody speaks in the clip");
}

TEST(VoiceClip, CorpusBreaksNoInvariant) {
  EXPECT_GT(test::replay_corpus("server_voice_clip_fuzz", fuzz_voice_clip), 0);
}

}  // namespace
}  // namespace qylon::server

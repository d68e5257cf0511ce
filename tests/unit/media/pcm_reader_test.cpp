#include "media/pcm_reader.hpp"

#include <cmath>
#include <fstream>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/wav.hpp"

namespace qylon::media {
namespace {

std::string temp_path(const std::string& name) {
  return ::testing::TempDir() + "qylon_pcm_reader_" + name;
}

struct Tone {
  double hz;
  int sample_rate_hz;
  double seconds;
  float left;   // Amplitude.
  float right;  // Amplitude; both channels are equal in phase.
};

std::string tone_file(const std::string& name, const Tone& tone) {
  test::WavFile wav{.sample_rate_hz = tone.sample_rate_hz, .channels = 2, .interleaved = {}};
  const auto frames = static_cast<std::size_t>(tone.seconds * tone.sample_rate_hz);
  for (std::size_t n = 0; n < frames; ++n) {
    const double phase =
        2 * std::numbers::pi * tone.hz * static_cast<double>(n) / tone.sample_rate_hz;
    wav.interleaved.push_back(tone.left * static_cast<float>(std::sin(phase)));
    wav.interleaved.push_back(tone.right * static_cast<float>(std::sin(phase)));
  }
  const std::string path = temp_path(name);
  wav.write(path);
  return path;
}

std::vector<float> read_all(PcmReader& reader, std::size_t at_once = 1000) {
  std::vector<float> all;
  std::vector<float> part(at_once);
  while (true) {
    const auto count = reader.read(part);
    EXPECT_TRUE(count);
    if (!count || *count == 0) return all;
    all.insert(all.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*count));
  }
}

/// Amplitude of `hz` in `samples` at 16 kHz, by correlation with a complex tone.
double amplitude_at(const std::vector<float>& samples, double hz) {
  double real = 0;
  double imaginary = 0;
  for (std::size_t n = 0; n < samples.size(); ++n) {
    const double phase = 2 * std::numbers::pi * hz * static_cast<double>(n) / 16'000;
    real += static_cast<double>(samples[n]) * std::cos(phase);
    imaginary += static_cast<double>(samples[n]) * std::sin(phase);
  }
  return 2 * std::hypot(real, imaginary) / static_cast<double>(samples.size());
}

TEST(PcmReader, ResamplesToTheAskedRateAndKeepsTheTone) {
  const auto path = tone_file("tone.wav", {1000, 44'100, 1.0, 0.5F, 0.5F});
  auto reader = PcmReader::create({.path = path, .sample_rate_hz = 16'000});
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(reader->duration_ms(), 1000);
  const auto samples = read_all(*reader);
  EXPECT_NEAR(static_cast<double>(samples.size()), 16'000, 2);
  // Within 0.1 dB.
  EXPECT_NEAR(amplitude_at(samples, 1000), 0.5, 0.006);
}

TEST(PcmReader, MixesChannelsDownToTheirMean) {
  const auto path = tone_file("stereo.wav", {500, 16'000, 0.5, 0.6F, 0.0F});
  auto reader = PcmReader::create({.path = path, .sample_rate_hz = 16'000});
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_NEAR(amplitude_at(read_all(*reader), 500), 0.3, 0.003);
}

TEST(PcmReader, GivesTheSameSamplesForAnyReadSize) {
  const auto path = tone_file("sizes.wav", {700, 22'050, 0.3, 0.4F, 0.4F});
  auto first = PcmReader::create({.path = path, .sample_rate_hz = 16'000});
  auto second = PcmReader::create({.path = path, .sample_rate_hz = 16'000});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(read_all(*first, 7), read_all(*second, 4096));
}

TEST(PcmReader, RefusesAMissingFileByName) {
  const auto reader = PcmReader::create({.path = "/does/not/exist.wav"});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(reader.error().message, "cannot read /does/not/exist.wav: No such file or directory");
}

TEST(PcmReader, RefusesAFolder) {
  const auto reader = PcmReader::create({.path = ::testing::TempDir()});
  ASSERT_FALSE(reader);
  EXPECT_NE(reader.error().message.find("is a folder"), std::string::npos);
}

TEST(PcmReader, RefusesAFileThatIsNotSound) {
  const std::string path = temp_path("notes.txt");
  std::ofstream(path) << "These are only words, and no decoder reads them aloud.\n";
  const auto reader = PcmReader::create({.path = path});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(reader.error().message.find(path), std::string::npos);
}

TEST(PcmReader, RefusesASoundFileWithoutASample) {
  const std::string path = temp_path("empty.wav");
  test::WavFile{}.write(path);
  const auto reader = PcmReader::create({.path = path});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kInvalidArgument);
}

TEST(PcmReader, RefusesARateThatNothingUses) {
  const auto reader = PcmReader::create({.path = "any", .sample_rate_hz = 96'000});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace qylon::media

#include "bench/loadgen/recording_check.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "media/recording_file.hpp"

namespace qylon::loadgen {
namespace {

/// A recording as the server writes it, with the packets of `speech` that `indices` name.
std::string record(const SpeechLoop& speech, const std::vector<std::uint64_t>& indices) {
  const std::string path = std::string(QYLON_TEST_BINARY_DIR) + "/recording_check.opus";
  std::filesystem::remove(path);
  {
    auto file = media::RecordingFile::open(path, {});
    EXPECT_TRUE(file);
    for (const std::uint64_t index : indices)
      EXPECT_TRUE((*file)->append(speech.packet(index), 960));
    EXPECT_TRUE((*file)->finish());
  }
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(stream), {});
  std::filesystem::remove(path);
  return bytes;
}

class RecordingCheckTest : public ::testing::Test {
 protected:
  std::uint64_t findings(const std::vector<std::uint64_t>& indices) {
    return compare_recording("uplink 0", record(*speech_, indices), *speech_, 5).count();
  }
  Result<SpeechLoop> speech_ = SpeechLoop::create(3);
};

TEST_F(RecordingCheckTest, EqualPacketsAreRight) {
  EXPECT_EQ(findings({0, 1, 2, 3, 4}), 0U);
}

TEST_F(RecordingCheckTest, MissingExtraAndWrongPacketsAreFound) {
  // Far into the loop, where the voice speaks and no two packets are alike.
  EXPECT_GE(findings({0, 1, 2, 3}), 1U);
  EXPECT_GE(findings({0, 1, 2, 3, 4, 5}), 1U);
  EXPECT_GE(findings({0, 1, 200, 3, 4}), 1U);
}

TEST_F(RecordingCheckTest, ADamagedFileIsFound) {
  std::string file = record(*speech_, {0, 1, 2, 3, 4});
  file.back() = static_cast<char>(file.back() ^ 1);
  EXPECT_EQ(compare_recording("uplink 0", file, *speech_, 5).count(), 1U);
  EXPECT_EQ(compare_recording("uplink 0", "", *speech_, 5).count(), 1U);
}

TEST(SpeechLoop, IsTheSameForTheSameSeedAndSpeaksAndPauses) {
  const auto one = SpeechLoop::create(5);
  const auto two = SpeechLoop::create(5);
  const auto other = SpeechLoop::create(6);
  ASSERT_TRUE(one && two && other);
  ASSERT_EQ(one->size(), 1000U) << "20 s of 20 ms";
  std::size_t differing = 0;
  std::size_t quiet = 0;
  for (std::uint64_t i = 0; i < one->size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(one->packet(i), two->packet(i)));
    differing += std::ranges::equal(one->packet(i), other->packet(i)) ? 0U : 1U;
    quiet += one->packet(i).size() < 20 ? 1U : 0U;  // An encoder spends little on silence.
  }
  EXPECT_GT(differing, 300U);
  EXPECT_GT(quiet, 100U);
  EXPECT_LT(quiet, 700U);
}

}  // namespace
}  // namespace qylon::loadgen

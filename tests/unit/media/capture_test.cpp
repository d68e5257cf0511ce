#include "media/capture.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/wav.hpp"

namespace qylon::media {
namespace {

using Pulled = Capture::Pulled;

/// A file of `samples` at 48 kHz whose sample n has the value (n % 1000) / 1000.
std::string ramp_file(std::size_t samples) {
  const std::string path = ::testing::TempDir() + "qylon_capture_ramp.wav";
  test::WavFile wav{.sample_rate_hz = 48'000, .channels = 1, .interleaved = {}};
  for (std::size_t n = 0; n < samples; ++n)
    wav.interleaved.push_back(static_cast<float>(n % 1000) / 1000.0F);
  wav.write(path);
  return path;
}

TEST(FileCapture, GivesABlockNoSoonerThanItWouldBeHeard) {
  test::FakeClock clock;
  auto capture = Capture::create(Capture::parse_source(ramp_file(4800)), clock);
  ASSERT_TRUE(capture) << capture.error().message;
  CaptureBlock block;
  EXPECT_EQ(*(*capture)->pull(block), Pulled::kLater);
  clock.advance_us(19'999);
  EXPECT_EQ(*(*capture)->pull(block), Pulled::kLater);
  clock.advance_us(1);
  EXPECT_EQ(*(*capture)->pull(block), Pulled::kBlock);
  EXPECT_EQ(*(*capture)->pull(block), Pulled::kLater);
  EXPECT_EQ((*capture)->due_us(), clock.monotonic_us() + 20'000);
}

TEST(FileCapture, CountsTimeInSamplesAndFillsTheLastBlockWithSilence) {
  test::FakeClock clock;
  auto options = Capture::parse_source(ramp_file(960 * 2 + 10));
  options.paced = false;
  auto capture = Capture::create(options, clock);
  ASSERT_TRUE(capture) << capture.error().message;
  CaptureBlock block;
  for (std::uint64_t i = 0; i < 3; ++i) {
    ASSERT_EQ(*(*capture)->pull(block), Pulled::kBlock);
    EXPECT_EQ(block.capture_us, i * 20'000);
  }
  // Sample 1929 of the file is 929 / 1000; 16 bits keep it within half a step.
  EXPECT_NEAR(block.samples[9], 0.929F, 0.5F / 32768.0F);
  EXPECT_EQ(block.samples[10], 0.0F);
  EXPECT_EQ(*(*capture)->pull(block), Pulled::kEnd);
}

TEST(FileCapture, SaysWhichFileIsMissing) {
  const test::FakeClock clock;
  const auto capture = Capture::create(Capture::parse_source("/does/not/exist.wav"), clock);
  ASSERT_FALSE(capture);
  EXPECT_EQ(capture.error().code, ErrorCode::kNotFound);
  EXPECT_NE(capture.error().message.find("/does/not/exist.wav"), std::string::npos);
}

TEST(LiveCapture, SaysWhatWasTriedWhenThereIsNoSoundServer) {
  // Neither server is asked to start, and no socket of theirs is at these places.
  const std::string nowhere = ::testing::TempDir() + "qylon_no_sound_server";
  setenv("PULSE_SERVER", ("unix:" + nowhere).c_str(), 1);
  setenv("PIPEWIRE_REMOTE", nowhere.c_str(), 1);
  const test::FakeClock clock;
  const auto capture = Capture::create(Capture::parse_source("desktop"), clock);
  unsetenv("PULSE_SERVER");
  unsetenv("PIPEWIRE_REMOTE");
  ASSERT_FALSE(capture);
  EXPECT_EQ(capture.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(capture.error().message.find("pulsesrc"), std::string::npos);
}

class CaptureBlocksTest : public ::testing::Test {
 protected:
  /// 10 ms of a constant.
  void add(float value, std::int64_t stamp_us) {
    blocks_.add(std::vector<float>(480, value), stamp_us);
  }
  CaptureBlock take() {
    CaptureBlock block;
    EXPECT_TRUE(blocks_.ready());
    if (blocks_.ready()) blocks_.take(block);
    return block;
  }

  CaptureBlocks blocks_;
};

TEST_F(CaptureBlocksTest, CutsBuffersIntoBlocksInOrder) {
  add(0.1F, 0);
  EXPECT_FALSE(blocks_.ready());
  add(0.2F, 10'000);
  const CaptureBlock block = take();
  EXPECT_EQ(block.capture_us, 0U);
  EXPECT_EQ(block.samples[479], 0.1F);
  EXPECT_EQ(block.samples[480], 0.2F);
}

TEST_F(CaptureBlocksTest, AHoleMovesTimeByExactlyItsLength) {
  add(0.1F, 0);
  add(0.1F, 10'000);
  take();
  add(0.2F, 520'000);  // 500 ms after the end of the last buffer.
  add(0.2F, 530'000);
  EXPECT_EQ(take().capture_us, 520'000U);
  EXPECT_EQ(blocks_.holes_us(), 500'000);
}

TEST_F(CaptureBlocksTest, AHoleInsideABlockFillsItWithSilence) {
  add(0.1F, 0);
  add(0.2F, 110'000);  // 100 ms after the first buffer's end.
  const CaptureBlock before = take();
  EXPECT_EQ(before.samples[479], 0.1F);
  EXPECT_EQ(before.samples[480], 0.0F);
  add(0.2F, 120'000);
  const CaptureBlock after = take();
  EXPECT_EQ(after.capture_us, 110'000U);
  EXPECT_EQ(after.samples[0], 0.2F);
}

TEST_F(CaptureBlocksTest, JitterAndDriftOfTheStampsAreNotHoles) {
  // One part in a thousand too slow for 100 s: 100 ms in sum, 10 us a buffer.
  for (std::int64_t i = 0; i < 10'000; ++i) {
    add(0.1F, i * 10'010 + (i % 2) * 15'000);
    if (blocks_.ready()) {
      EXPECT_EQ(take().capture_us, static_cast<std::uint64_t>(i / 2) * 20'000);
    }
  }
  EXPECT_EQ(blocks_.holes_us(), 0);
}

TEST_F(CaptureBlocksTest, BuffersWithoutAStampFollowEachOther) {
  add(0.1F, -1);
  add(0.1F, -1);
  EXPECT_EQ(take().capture_us, 0U);
}

}  // namespace
}  // namespace qylon::media

#include "media/jitter_buffer.hpp"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::media {
namespace {

constexpr std::int64_t kFrameUs = 20'000;
constexpr std::uint64_t kStartUs = 5'000'000;  // Capture clocks do not start at zero.
using Kind = JitterBuffer::Output::Kind;
using Inserted = JitterBuffer::Inserted;

/// Frame `seq` of a sender that sends 20 ms frames without a pause.
UplinkFrame frame_at(std::uint64_t seq, std::int64_t paused_us = 0) {
  UplinkFrame frame;
  frame.seq = seq;
  frame.capture_us = kStartUs + seq * kFrameUs + static_cast<std::uint64_t>(paused_us);
  frame.payload = {1};
  return frame;
}

/// A buffer whose packets last as many times 20 ms as their first byte says.
class JitterBufferTest : public testing::Test {
 protected:
  explicit JitterBufferTest(const JitterBuffer::Options& options = {})
      : buffer(
            options,
            [](const UplinkFrame& frame) { return frame.payload[0] * kFrameUs; },
            [this](JitterBuffer::Output&& output) { record(output); }) {}

  void record(const JitterBuffer::Output& output) {
    if (output.kind == Kind::kFrame) {
      seqs.push_back(output.frame.seq);
      frames_us += output.frame.payload.empty() ? 0 : output.frame.payload[0] * kFrameUs;
    } else if (output.kind == Kind::kLost) {
      lost_us.push_back(output.duration_us);
    } else {
      gap_us.push_back(output.duration_us);
    }
  }
  Inserted insert(const UplinkFrame& frame, std::int64_t now_us = 0) {
    return buffer.insert(UplinkFrame(frame), now_us);
  }
  std::int64_t total_us() const {
    std::int64_t total = frames_us;
    for (const auto& list : {lost_us, gap_us})
      for (const std::int64_t duration : list)
        total += duration;
    return total;
  }

  JitterBuffer buffer;
  std::vector<std::uint64_t> seqs;
  std::vector<std::int64_t> lost_us;
  std::vector<std::int64_t> gap_us;
  std::int64_t frames_us = 0;
};

TEST_F(JitterBufferTest, FramesInOrderPassAtOnce) {
  for (std::uint64_t seq = 0; seq < 3; ++seq) {
    EXPECT_EQ(insert(frame_at(seq)), Inserted::kTaken);
    EXPECT_EQ(seqs.size(), seq + 1);
  }
  EXPECT_EQ(buffer.next_seq(), 3U);
}

TEST_F(JitterBufferTest, AnyOrderWithinTheWindowGivesTheSameOutput) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> order;  // Arrival, seq.
    for (std::uint64_t seq = 0; seq < 200; ++seq)
      order.emplace_back(seq + random() % 9, seq);  // At most 9 * 20 ms late: within 200 ms.
    std::ranges::stable_sort(order, {}, &std::pair<std::uint64_t, std::uint64_t>::first);
    JitterBufferTest::seqs.clear();
    JitterBuffer shuffled(
        {},
        [](const UplinkFrame&) { return kFrameUs; },
        [this](JitterBuffer::Output&& output) { record(output); });
    for (const auto& [arrival, seq] : order)
      EXPECT_EQ(shuffled.insert(frame_at(seq), 0), Inserted::kTaken);
    ASSERT_EQ(seqs.size(), 200U) << "seed " << seed;
    EXPECT_TRUE(std::ranges::is_sorted(seqs));
    EXPECT_TRUE(lost_us.empty());
    EXPECT_TRUE(gap_us.empty());
  }
}

TEST_F(JitterBufferTest, DuplicatesAreDroppedWhereverTheyAre) {
  insert(frame_at(0));
  EXPECT_EQ(insert(frame_at(0)), Inserted::kDuplicate);
  EXPECT_EQ(insert(frame_at(2)), Inserted::kTaken);
  EXPECT_EQ(insert(frame_at(2)), Inserted::kDuplicate);
  insert(frame_at(1));
  EXPECT_EQ(insert(frame_at(2)), Inserted::kDuplicate);
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{0, 1, 2}));
}

TEST_F(JitterBufferTest, AMissingFrameIsLostWhenLaterOnesSpanTheWindow) {
  insert(frame_at(0));
  for (std::uint64_t seq = 2; seq < 11; ++seq)
    insert(frame_at(seq));  // Nine frames: 180 ms.
  EXPECT_EQ(seqs.size(), 1U);
  insert(frame_at(11));  // 200 ms.
  EXPECT_EQ(lost_us, std::vector<std::int64_t>{kFrameUs});
  EXPECT_EQ(seqs.size(), 11U);
  EXPECT_EQ(insert(frame_at(1)), Inserted::kLate);
}

TEST_F(JitterBufferTest, AMissingFrameIsLostWhenTheClockSaysSo) {
  insert(frame_at(0), 0);
  insert(frame_at(2), 40'000);
  buffer.tick(239'999);
  EXPECT_EQ(seqs.size(), 1U);
  buffer.tick(240'000);
  EXPECT_EQ(lost_us, std::vector<std::int64_t>{kFrameUs});
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{0, 2}));
}

TEST_F(JitterBufferTest, FlushDeliversWhatWaits) {
  insert(frame_at(0));
  insert(frame_at(3));
  insert(frame_at(5));
  buffer.flush();
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{0, 3, 5}));
  EXPECT_EQ(lost_us, (std::vector<std::int64_t>{2 * kFrameUs, kFrameUs}));
  EXPECT_EQ(buffer.next_seq(), 6U);
}

TEST_F(JitterBufferTest, ALossLastsAsLongAsTheCaptureClockSays) {
  insert(frame_at(0));
  UplinkFrame next = frame_at(2);
  next.capture_us = kStartUs + kFrameUs + 60'000;  // The lost packet held 60 ms.
  insert(next);
  buffer.flush();
  EXPECT_EQ(lost_us, std::vector<std::int64_t>{60'000});
}

TEST_F(JitterBufferTest, AnImplausibleCaptureClockDoesNotStretchALoss) {
  insert(frame_at(0));
  UplinkFrame next = frame_at(2);
  next.capture_us = 0;
  insert(next);
  buffer.flush();
  EXPECT_EQ(lost_us, std::vector<std::int64_t>{kFrameUs});
  EXPECT_TRUE(gap_us.empty());
}

TEST_F(JitterBufferTest, APauseOfTheSenderIsAGapOfThatLength) {
  insert(frame_at(0));
  insert(frame_at(1, 3'000'000));
  EXPECT_EQ(gap_us, std::vector<std::int64_t>{3'000'000});
}

TEST_F(JitterBufferTest, JitterOfTheCaptureClockIsNoGap) {
  insert(frame_at(0));
  insert(frame_at(1, 60'000));
  EXPECT_TRUE(gap_us.empty());
  insert(frame_at(2, 60'003));  // Two microseconds were taken for another crystal's.
  EXPECT_EQ(gap_us, std::vector<std::int64_t>{60'001});
}

TEST_F(JitterBufferTest, ACaptureClockOfAnotherCrystalMakesNoGap) {
  constexpr std::uint64_t kHour = 3600 * 50;
  for (std::uint64_t seq = 0; seq < kHour; ++seq)
    insert(frame_at(seq, static_cast<std::int64_t>(seq)));  // 50 parts per million fast.
  EXPECT_TRUE(gap_us.empty());
  EXPECT_EQ(total_us(), static_cast<std::int64_t>(kHour) * kFrameUs) << "the sample count stays";
  EXPECT_EQ(buffer.skew_us(), static_cast<std::int64_t>(kHour) - 1);
}

TEST_F(JitterBufferTest, ALossNamesThePacketThatFollows) {
  std::vector<std::uint8_t> next;
  JitterBuffer lossy(
      {},
      [](const UplinkFrame& /*frame*/) { return kFrameUs; },
      [&next](JitterBuffer::Output&& output) {
        if (output.kind == JitterBuffer::Output::Kind::kLost)
          next.assign(output.next.begin(), output.next.end());
      });
  lossy.insert(frame_at(0), 0);
  UplinkFrame third = frame_at(2);
  third.payload = {1, 2, 3};
  lossy.insert(std::move(third), 0);
  lossy.tick(200'000);
  EXPECT_EQ(next, (std::vector<std::uint8_t>{1, 2, 3}));
}

TEST_F(JitterBufferTest, JumpsBeyondTheLimitAreRefused) {
  insert(frame_at(0));
  EXPECT_EQ(insert(frame_at(1, 10'000'001)), Inserted::kJump);
  UplinkFrame far = frame_at(502);
  far.capture_us = kStartUs;
  EXPECT_EQ(insert(far), Inserted::kJump);
  EXPECT_EQ(insert(frame_at(1)), Inserted::kTaken);
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{0, 1}));
}

TEST_F(JitterBufferTest, ALongCatchUpIsNoJump) {
  insert(frame_at(0));
  for (std::uint64_t seq = 2; seq < 2'000; ++seq)  // 40 s arrive at once, one frame missing.
    ASSERT_EQ(insert(frame_at(seq)), Inserted::kTaken);
  EXPECT_EQ(total_us(), 2'000 * kFrameUs);
}

TEST_F(JitterBufferTest, ATrackThatBeginsInTheMiddleWaitsForEarlierFrames) {
  insert(frame_at(8));
  insert(frame_at(7));
  EXPECT_TRUE(seqs.empty());
  buffer.tick(200'000);
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{7, 8}));
  EXPECT_TRUE(lost_us.empty()) << "nothing before the first frame is a loss";
  EXPECT_EQ(insert(frame_at(6)), Inserted::kLate);
}

TEST_F(JitterBufferTest, AResumedTrackDropsWhatWasSettledBefore) {
  buffer.resume_at(10);
  EXPECT_EQ(insert(frame_at(9)), Inserted::kDuplicate);
  EXPECT_EQ(insert(frame_at(10)), Inserted::kTaken);
  EXPECT_EQ(buffer.next_seq(), 11U);
}

TEST_F(JitterBufferTest, APayloadThatIsNoPacketIsLostTime) {
  insert(frame_at(0));
  UplinkFrame bad = frame_at(1);
  bad.payload = {0};
  EXPECT_EQ(insert(bad), Inserted::kTaken);
  insert(frame_at(2));
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{0, 2}));
  EXPECT_EQ(lost_us, std::vector<std::int64_t>{kFrameUs});
  EXPECT_TRUE(gap_us.empty());
}

TEST_F(JitterBufferTest, TheBareEndFrameTakesNoTime) {
  insert(frame_at(0));
  UplinkFrame end = frame_at(1, 9'000'000);
  end.flags = kUplinkFlagEnd;
  end.payload.clear();
  EXPECT_EQ(insert(end), Inserted::kTaken);
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(total_us(), kFrameUs);
}

class SmallJitterBufferTest : public JitterBufferTest {
 protected:
  SmallJitterBufferTest() : JitterBufferTest({1000, 60, 10'000, 4}) {}
};

TEST_F(SmallJitterBufferTest, AFullBufferGivesUpTheOldestMissingFrame) {
  insert(frame_at(0));
  for (std::uint64_t seq = 2; seq < 6; ++seq)
    insert(frame_at(seq));
  EXPECT_EQ(seqs.size(), 1U);
  insert(frame_at(6));
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{0, 2, 3, 4, 5, 6}));
}

TEST_F(JitterBufferTest, TimeAddsUpToTheCaptureSpanWhateverIsLost) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    const std::int64_t before_us = total_us();
    JitterBuffer lossy(
        {},
        [](const UplinkFrame& frame) { return frame.payload[0] * kFrameUs; },
        [this](JitterBuffer::Output&& output) { record(output); });
    std::uint64_t capture_us = kStartUs;
    for (std::uint64_t seq = 0; seq < 500; ++seq) {
      UplinkFrame frame = frame_at(seq);
      frame.capture_us = capture_us;
      frame.payload = {static_cast<std::uint8_t>(1 + random() % 3)};  // 20, 40 or 60 ms.
      capture_us += frame.payload[0] * static_cast<std::uint64_t>(kFrameUs);
      const bool ends = seq == 0 || seq == 499;
      if (ends || random() % 10 != 0) lossy.insert(std::move(frame), 0);
    }
    lossy.flush();
    EXPECT_EQ(total_us() - before_us, static_cast<std::int64_t>(capture_us - kStartUs))
        << "seed " << seed;
  }
}

TEST_F(JitterBufferTest, TwelveHoursWithSilenceAndLossDoNotDrift) {
  std::mt19937 random(1);
  constexpr std::int64_t kSpanUs = 12LL * 3600 * 1'000'000;
  std::int64_t paused_us = 0;
  std::int64_t end_us = 0;
  std::uint64_t seq = 0;
  for (; end_us < kSpanUs; ++seq) {
    if (random() % 2000 == 0)  // A pause of up to nine seconds about every 40 s.
      paused_us += static_cast<std::int64_t>(random() % 9'000'000);
    const UplinkFrame frame = frame_at(seq, paused_us);
    end_us = static_cast<std::int64_t>(frame.capture_us - kStartUs) + kFrameUs;
    const bool lost = seq > 0 && end_us < kSpanUs && random() % 100 < 3;
    if (!lost) insert(frame, end_us);
    buffer.tick(end_us);
  }
  buffer.flush();
  // A pause below gap_ms that is not made up yet is all that may be missing.
  EXPECT_NEAR(static_cast<double>(total_us()), static_cast<double>(end_us), 60'000.0);
  EXPECT_TRUE(std::ranges::is_sorted(seqs));
  EXPECT_NEAR(static_cast<double>(seqs.size()), 0.97 * static_cast<double>(seq), 2'000.0);
}

}  // namespace
}  // namespace qylon::media

#include "media/clock_drift.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "media/jitter_buffer.hpp"

namespace qylon::media {
namespace {

constexpr std::int64_t kFrameUs = 20'000;

/// A sender whose crystals run fast by `ppm` parts per million, and the path to the server: 20 ms
/// and a random queue, stalls whose frames come in one burst, 3 % loss, pauses.
class Sender {
 public:
  Sender(double sample_ppm, double capture_ppm)
      : sample_rate_(1.0 + sample_ppm * 1e-6), capture_rate_(1.0 + capture_ppm * 1e-6) {}

  struct Sent {
    UplinkFrame frame;
    double true_us;  ///< When its first sample was heard.
    std::int64_t arrival_us;
    bool lost;
  };

  Sent next() {
    if (random_() % 2000 == 0) true_us_ += 100'000.0 + static_cast<double>(random_() % 9'000'000);
    if (random_() % 20'000 == 0)  // A reconnect: nothing comes for up to five seconds.
      stalled_until_us_ = true_us_ + static_cast<double>(random_() % 5'000'000);
    const double queue_us = -4'000.0 * std::log(1.0 - uniform_(random_));
    const double arrival_us = std::max(true_us_ + 20'000.0 + queue_us, stalled_until_us_);
    Sent sent{.frame = {},
              .true_us = true_us_,
              .arrival_us = static_cast<std::int64_t>(arrival_us),
              .lost = seq_ > 0 && random_() % 100 < 3};
    sent.frame.seq = seq_++;
    sent.frame.capture_us = static_cast<std::uint64_t>(true_us_ * capture_rate_);
    sent.frame.payload = {1};
    true_us_ += static_cast<double>(kFrameUs) / sample_rate_;
    return sent;
  }

 private:
  const double sample_rate_;
  const double capture_rate_;
  std::mt19937 random_{1};
  std::uniform_real_distribution<double> uniform_{0.0, 1.0};
  double true_us_ = 0.0;
  double stalled_until_us_ = 0.0;
  std::uint64_t seq_ = 0;
};

struct Errors {
  double worst_us = 0.0;
  double last_us = 0.0;
};

/// Twelve hours through jitter buffer and drift, as a track does it: how far what both say of a
/// frame's time is from the truth.
Errors errors_in_12_hours(double sample_ppm, double capture_ppm) {
  Sender sender(sample_ppm, capture_ppm);
  ClockDrift drift;
  Errors errors;
  std::int64_t track_us = 0;
  double true_us = 0.0;
  JitterBuffer buffer(
      {},
      [](const UplinkFrame& /*frame*/) { return kFrameUs; },
      [&](JitterBuffer::Output&& output) {
        track_us += output.duration_us;
        if (output.kind != JitterBuffer::Output::Kind::kFrame) return;
        drift.observe(track_us, output.arrived_us);
        track_us += kFrameUs;
      });
  while (true_us < 12.0 * 3600.0 * 1e6) {
    const Sender::Sent sent = sender.next();
    true_us = sent.true_us;
    if (!sent.lost) {
      buffer.insert(UplinkFrame(sent.frame), sent.arrival_us);
      const auto said_us = static_cast<double>(track_us - kFrameUs + drift.correction_us());
      if (buffer.next_seq() == sent.frame.seq + 1) {  // It did not wait behind a lost one.
        errors.last_us = std::abs(said_us - true_us);
        errors.worst_us = std::max(errors.worst_us, errors.last_us);
      }
    }
    buffer.tick(sent.arrival_us);
  }
  return errors;
}

TEST(ClockDrift, TwelveHoursOfAFastOrSlowSenderStayWithinTenMilliseconds) {
  for (const double ppm : {50.0, -50.0}) {
    const Errors errors = errors_in_12_hours(ppm, ppm);  // One crystal for samples and stamps.
    EXPECT_LT(errors.worst_us, 10'000.0) << ppm;
    EXPECT_LT(errors.last_us, 1'000.0) << ppm << ": two seconds without correction";
  }
}

TEST(ClockDrift, TwelveHoursOfASoundCardThatDiffersFromItsComputersClockStayTogether) {
  for (const double ppm : {50.0, -50.0}) {
    const Errors errors = errors_in_12_hours(ppm, 0.0);
    EXPECT_LT(errors.worst_us, 10'000.0) << ppm;
    EXPECT_LT(errors.last_us, 1'000.0) << ppm;
  }
}

TEST(ClockDrift, IsNothingForASenderOnTheServersClock) {
  EXPECT_LT(errors_in_12_hours(0.0, 0.0).worst_us, 3'000.0);
}

TEST(ClockDrift, LeavesAFileAloneThatIsSentFasterThanItPlays) {
  ClockDrift drift;
  for (std::int64_t frame = 0; frame < 100'000; ++frame)
    drift.observe(frame * kFrameUs, frame * kFrameUs / 8);
  EXPECT_EQ(drift.correction_us(), 0);
}

TEST(ClockDrift, SaysNothingBeforeTwoMinutes) {
  ClockDrift drift;
  for (std::int64_t frame = 0; frame < 119 * 50; ++frame)
    drift.observe(frame * kFrameUs, frame * kFrameUs + frame * 2);
  EXPECT_EQ(drift.correction_us(), 0);
}

TEST(ClockDrift, MovesSlowly) {
  ClockDrift drift;
  std::int64_t last_us = 0;
  for (std::int64_t frame = 0; frame < 600 * 50; ++frame) {
    const std::int64_t track_us = frame * kFrameUs;
    drift.observe(track_us, track_us + track_us / 5'000);  // 200 ppm.
    ASSERT_LE(std::abs(drift.correction_us() - last_us), 10 + 1) << "500 ppm of a frame";
    last_us = drift.correction_us();
  }
  EXPECT_NEAR(static_cast<double>(last_us), 600e6 * 200e-6, 200.0);
}

}  // namespace
}  // namespace qylon::media

#include "dsp/level.hpp"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/signals.hpp"

namespace qylon::dsp {
namespace {

TEST(Level, OfAFullScaleSineIsZeroPeakAndThreeDecibelsLessInPower) {
  const Level level = measure_level(testing::sine(1000.0, 16000.0, 1600));
  EXPECT_NEAR(level.peak_dbfs, 0.0F, 0.001F);
  EXPECT_NEAR(level.rms_dbfs, -3.0103F, 0.001F);  // 10 log10(1/2)
}

TEST(Level, OfAConstantIsItsValue) {
  for (std::size_t count = 1; count <= 67; ++count) {
    const std::vector<float> samples(count, -0.1F);
    EXPECT_NEAR(measure_level(samples).rms_dbfs, -20.0F, 0.001F);
    EXPECT_NEAR(measure_level(samples).peak_dbfs, -20.0F, 0.001F);
  }
}

TEST(Level, FindsThePeakWhereverItIs) {
  for (std::size_t at = 0; at < 23; ++at) {
    std::vector<float> samples(23, 0.01F);
    samples[at] = -0.5F;
    EXPECT_NEAR(measure_level(samples).peak_dbfs, -6.0206F, 0.001F) << at;
  }
}

TEST(Level, IsClippedWhenSeveralSamplesReachFullScale) {
  std::vector<float> samples = testing::sine(1000.0, 16000.0, 160, 0.99);
  EXPECT_FALSE(measure_level(samples).clipped);
  samples[3] = 1.0F;
  samples[4] = 1.0F;
  EXPECT_FALSE(measure_level(samples).clipped) << "two samples are a peak";
  samples[155] = -1.2F;  // A decoder's overshoot.
  EXPECT_TRUE(measure_level(samples).clipped);
}

TEST(Level, OfSilenceIsTheFloor) {
  EXPECT_EQ(measure_level({}).rms_dbfs, -100.0F);
  EXPECT_EQ(measure_level(std::vector<float>(160)).rms_dbfs, -100.0F);
  EXPECT_EQ(measure_level(std::vector<float>(160, 1e-9F)).peak_dbfs, -100.0F);
}

TEST(Level, OfWhatIsNoNumberIsTheFloor) {
  const std::vector<float> samples(160, std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(measure_level(samples).rms_dbfs, -100.0F);
}

}  // namespace
}  // namespace qylon::dsp

#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/resampler.hpp"
#include "tests/support/signals.hpp"

namespace qylon::testing {

struct RatePair {
  int input_hz;
  int output_hz;
  double nyquist_hz() const { return std::min(input_hz, output_hz) / 2.0; }
};

inline std::string name_of(const ::testing::TestParamInfo<RatePair>& info) {
  return std::to_string(info.param.input_hz) + "to" + std::to_string(info.param.output_hz);
}

inline dsp::Resampler make(const RatePair& pair) {
  auto resampler =
      dsp::Resampler::create({.input_rate_hz = pair.input_hz, .output_rate_hz = pair.output_hz});
  EXPECT_TRUE(resampler);
  return *std::move(resampler);
}

inline std::vector<float> resample(const RatePair& pair, std::span<const float> input) {
  dsp::Resampler resampler = make(pair);
  std::vector<float> output(resampler.output_samples_max(input.size()));
  output.resize(resampler.process(input, output));
  return output;
}

/// The same in blocks of many sizes.
inline std::vector<float> resample_in_pieces(const RatePair& pair, std::span<const float> input) {
  dsp::Resampler resampler = make(pair);
  std::vector<float> pieces;
  std::vector<float> room(1013 * 13);
  for (std::size_t size = 1; !input.empty(); size = size * 3 % 1013) {
    const auto block = input.first(std::min(size, input.size()));
    input = input.subspan(block.size());
    const std::size_t written = resampler.process(block, room);
    EXPECT_LE(written, resampler.output_samples_max(block.size()));
    pieces.insert(pieces.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(written));
  }
  return pieces;
}

/// The middle of the answer to a tone of amplitude 1, behind all transients.
inline std::vector<float> answer(const RatePair& pair, double tone_hz) {
  const auto samples = static_cast<std::size_t>(pair.input_hz / 5);  // 200 ms.
  std::vector<float> output = resample(pair, sine(tone_hz, pair.input_hz, samples));
  output.erase(output.begin(), output.begin() + pair.output_hz / 20);  // 50 ms.
  return output;
}

/// Fails unless after every block of 331 samples all outputs that are due are there.
inline void expect_exact_counts(const RatePair& pair, int blocks) {
  dsp::Resampler resampler = make(pair);
  std::vector<float> room(331 * 13);
  const std::vector<float> input(331);
  std::int64_t taken = 0;
  std::int64_t given = 0;
  for (int block = 0; block < blocks; ++block) {
    given += static_cast<std::int64_t>(resampler.process(input, room));
    taken += 331;
    ASSERT_EQ(given, (taken * pair.output_hz + pair.input_hz - 1) / pair.input_hz)
        << "after " << taken;
  }
}

inline void expect_afresh_after_reset(const RatePair& pair) {
  const std::vector<float> input = white_noise(1500);
  dsp::Resampler resampler = make(pair);
  std::vector<float> first(resampler.output_samples_max(input.size()));
  std::vector<float> second(first.size());
  const std::size_t written = resampler.process(input, first);
  resampler.reset();
  EXPECT_EQ(resampler.process(input, second), written);
  EXPECT_EQ(first, second);
}

}  // namespace qylon::testing

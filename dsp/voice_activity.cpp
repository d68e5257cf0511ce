#include "dsp/voice_activity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "dsp/kernels.hpp"
#include "dsp/voice_activity_features.hpp"

namespace qylon::dsp {
namespace {

#include "dsp/voice_activity_weights.inc"

constexpr std::size_t kHidden = kOutput.size();
constexpr std::size_t kRows = 4 * kHidden;  // Reset, update, candidate of inputs, of hidden.

static_assert(kColumns.size() == (VoiceActivityFeatures::kCount + 1 + kHidden) * kRows);
static_assert(kRows % 32 == 0);

/// tanh(x) within 1e-4: the continued fraction to its 7th term, cut off at +-4.97, where it reaches
/// 1. Written with comparisons that become minima and maxima, four at a time.
float fast_tanh(float x) {
  const float above_low = x > -4.97F ? x : -4.97F;
  const float y = above_low < 4.97F ? above_low : 4.97F;
  const float square = y * y;
  const float above = y * (135135.0F + square * (17325.0F + square * (378.0F + square)));
  const float below = 135135.0F + square * (62370.0F + square * (3150.0F + square * 28.0F));
  return above / below;
}

float sigmoid(float x) {
  return 0.5F + 0.5F * fast_tanh(0.5F * x);
}

}  // namespace

/// A gated recurrent network of kHidden units over the features.
struct VoiceActivity::State {
  explicit State(VoiceActivityFeatures block_features) : features(std::move(block_features)) {}

  float classify() noexcept;

  VoiceActivityFeatures features;
  // Features, a constant 1 for the biases, hidden values: one vector for one matrix.
  std::array<float, VoiceActivityFeatures::kCount + 1 + kHidden> input{};
};

Result<VoiceActivity> VoiceActivity::create(const Options& /*options*/) {
  auto features = VoiceActivityFeatures::create();
  if (!features) return features.error();
  return VoiceActivity(std::make_unique<State>(*std::move(features)));
}

VoiceActivity::VoiceActivity(std::unique_ptr<State> state) : state_(std::move(state)) {
  reset();
}
VoiceActivity::VoiceActivity(VoiceActivity&&) noexcept = default;
VoiceActivity& VoiceActivity::operator=(VoiceActivity&&) noexcept = default;
VoiceActivity::~VoiceActivity() = default;

void VoiceActivity::reset() noexcept {
  state_->features.reset();
  state_->input.fill(0.0F);
  state_->input[VoiceActivityFeatures::kCount] = 1.0F;
}

float VoiceActivity::process(std::span<const float, kBlockSamples> samples) noexcept {
  state_->features.process(samples,
                           std::span(state_->input).first<VoiceActivityFeatures::kCount>());
  return state_->classify();
}

float VoiceActivity::State::classify() noexcept {
  std::array<float, kRows> sums{};
  kernels().add_columns(kColumns.data(), kRows, input.data(), input.size(), sums.data());
  std::array<float, kHidden> candidate;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (std::size_t row = 0; row < 2 * kHidden; ++row)
    sums[row] = sigmoid(sums[row]);
  for (std::size_t unit = 0; unit < kHidden; ++unit) {
    candidate[unit] = fast_tanh(sums[2 * kHidden + unit] + sums[unit] * sums[3 * kHidden + unit]);
  }
  float* const hidden = input.data() + VoiceActivityFeatures::kCount + 1;
  for (std::size_t unit = 0; unit < kHidden; ++unit) {
    const float keep = sums[kHidden + unit];
    hidden[unit] = candidate[unit] + keep * (hidden[unit] - candidate[unit]);
  }
  const float logit = kOutputBias[0] + kernels().dot(kOutput.data(), hidden, kHidden);
  return sigmoid(logit);
}

}  // namespace qylon::dsp

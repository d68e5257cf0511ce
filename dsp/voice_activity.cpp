#include "dsp/voice_activity.hpp"

#include <array>
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
  const Kernels& kernel = kernels();
  std::array<float, kRows> sums{};
  kernel.add_columns(kColumns.data(), kRows, input.data(), input.size(), sums.data());
  kernel.sigmoid(sums.data(), 2 * kHidden, sums.data());
  std::array<float, kHidden> candidate;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (std::size_t unit = 0; unit < kHidden; ++unit)
    candidate[unit] = sums[2 * kHidden + unit] + sums[unit] * sums[3 * kHidden + unit];
  kernel.hyperbolic_tangent(candidate.data(), kHidden, candidate.data());
  float* const hidden = input.data() + VoiceActivityFeatures::kCount + 1;
  for (std::size_t unit = 0; unit < kHidden; ++unit) {
    const float keep = sums[kHidden + unit];
    hidden[unit] = candidate[unit] + keep * (hidden[unit] - candidate[unit]);
  }
  float probability = kOutputBias[0] + kernel.dot(kOutput.data(), hidden, kHidden);
  kernel.sigmoid(&probability, 1, &probability);
  return probability;
}

}  // namespace qylon::dsp

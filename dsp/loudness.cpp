#include "dsp/loudness.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qylon::dsp {
namespace {

constexpr double kRateHz = 16000.0;
constexpr int kStepSamples = 1600;      // 100 ms.
constexpr double kWindowSeconds = 0.1;  // New audio per window.
constexpr double kOffsetDb = -0.691;    // BS.1770-4, equation 2.
constexpr double kAbsoluteGateLufs = -70.0;
constexpr double kRelativeGateLu = -10.0;

double to_lufs(double power) {
  return power > 1e-12 ? std::max(-100.0, kOffsetDb + 10.0 * std::log10(power)) : -100.0;
}

bool inside(float value, float low, float high) {
  return value >= low && value <= high;
}

}  // namespace

Result<Loudness> Loudness::create(const Options& options) {
  if (!inside(options.target_lufs, -40.0F, -10.0F)) {
    return Error{ErrorCode::kInvalidArgument, "loudness target_lufs must lie in [-40, -10]"};
  }
  if (!inside(options.gain_db_max, 0.0F, 40.0F)) {
    return Error{ErrorCode::kInvalidArgument, "loudness gain_db_max must lie in [0, 40]"};
  }
  if (!(options.slew_db_per_s > 0.0F && options.slew_db_per_s <= 1000.0F)) {
    return Error{ErrorCode::kInvalidArgument, "loudness slew_db_per_s must lie in (0, 1000]"};
  }
  if (!(options.memory_s > 0.0F && options.memory_s <= 1e9F)) {
    return Error{ErrorCode::kInvalidArgument, "loudness memory_s must lie in (0, 1e9]"};
  }
  return Loudness(options);
}

// The two filters of BS.1770-4 are given for 48 kHz only. Their analogue parameters (the values of
// libebur128 and pyloudnorm, found by inverting the bilinear transform of the published
// coefficients) give them back at any rate.
Loudness::Biquad Loudness::shelf() {
  constexpr double kFrequencyHz = 1681.974450955533;
  constexpr double kGainDb = 3.999843853973347;
  constexpr double kQuality = 0.7071752369554196;
  const double k = std::tan(std::numbers::pi * kFrequencyHz / kRateHz);
  const double high = std::pow(10.0, kGainDb / 20.0);
  const double band = std::pow(high, 0.4996667741545416);
  const double scale = 1.0 / (1.0 + k / kQuality + k * k);
  return {.b0 = (high + band * k / kQuality + k * k) * scale,
          .b1 = 2.0 * (k * k - high) * scale,
          .b2 = (high - band * k / kQuality + k * k) * scale,
          .a1 = 2.0 * (k * k - 1.0) * scale,
          .a2 = (1.0 - k / kQuality + k * k) * scale};
}

Loudness::Biquad Loudness::highpass() {
  constexpr double kFrequencyHz = 38.13547087602444;
  constexpr double kQuality = 0.5003270373238773;
  const double k = std::tan(std::numbers::pi * kFrequencyHz / kRateHz);
  const double scale = 1.0 / (1.0 + k / kQuality + k * k);
  return {.b0 = 1.0,
          .b1 = -2.0,
          .b2 = 1.0,
          .a1 = 2.0 * (k * k - 1.0) * scale,
          .a2 = (1.0 - k / kQuality + k * k) * scale};
}

Loudness::Loudness(const Options& options)
    : options_(options), shelf_(shelf()), highpass_(highpass()) {}

void Loudness::reset() noexcept {
  *this = Loudness(options_);
}

double Loudness::Biquad::step(double input) noexcept {
  const double output = b0 * input + state1;
  state1 = b1 * input - a1 * output + state2;
  state2 = b2 * input - a2 * output;
  return output;
}

void Loudness::Biquad::flush_denormals() noexcept {
  if (std::abs(state1) < 1e-30) state1 = 0.0;
  if (std::abs(state2) < 1e-30) state2 = 0.0;
}

float Loudness::process(std::span<const float> samples) noexcept {
  for (const float sample : samples) {
    const double weighted = highpass_.step(shelf_.step(static_cast<double>(sample)));
    step_power_.back() += weighted * weighted;
    if (++step_samples_ == kStepSamples) finish_step();
  }
  shelf_.flush_denormals();
  highpass_.flush_denormals();
  const float slew_db =
      options_.slew_db_per_s * static_cast<float>(samples.size()) / static_cast<float>(kRateHz);
  gain_db_ += std::clamp(wanted_gain_db_ - gain_db_, -slew_db, slew_db);
  return gain_db_;
}

void Loudness::finish_step() noexcept {
  steps_ = std::min(steps_ + 1, kStepsInWindow);
  if (steps_ == kStepsInWindow) {
    double sum = 0.0;
    for (const double power : step_power_)
      sum += power;
    const double power = sum / (kStepsInWindow * kStepSamples);
    momentary_lufs_ = static_cast<float>(to_lufs(power));
    count_window(power);
  }
  std::rotate(step_power_.begin(), step_power_.begin() + 1, step_power_.end());
  step_power_.back() = 0.0;
  step_samples_ = 0;
}

void Loudness::count_window(double power) noexcept {
  const double lufs = to_lufs(power);
  if (lufs <= kAbsoluteGateLufs) return;
  const auto keep =
      static_cast<float>(std::exp(-kWindowSeconds / static_cast<double>(options_.memory_s)));
  for (Bin& bin : bins_) {
    bin.windows *= keep;
    bin.power *= keep;
  }
  const auto index = static_cast<std::size_t>((lufs - kAbsoluteGateLufs) * kBinsPerLu);
  Bin& bin = bins_[std::min(index, bins_.size() - 1)];
  bin.windows += 1.0F;
  bin.power += static_cast<float>(power);
  const float loudness = gated_lufs();
  wanted_gain_db_ =
      std::clamp(options_.target_lufs - loudness, -options_.gain_db_max, options_.gain_db_max);
}

double Loudness::mean_power(std::size_t first_bin) const noexcept {
  double windows = 0.0;
  double power = 0.0;
  for (std::size_t i = first_bin; i < bins_.size(); ++i) {
    windows += static_cast<double>(bins_[i].windows);
    power += static_cast<double>(bins_[i].power);
  }
  return windows > 0.0 ? power / windows : 0.0;
}

float Loudness::gated_lufs() const noexcept {
  const double ungated = mean_power(0);
  if (ungated <= 0.0) return -100.0F;
  const double gate = std::max(to_lufs(ungated) + kRelativeGateLu - kAbsoluteGateLufs, 0.0);
  const auto first = static_cast<std::size_t>(gate * kBinsPerLu);
  return static_cast<float>(to_lufs(mean_power(std::min(first, bins_.size() - 1))));
}

}  // namespace qylon::dsp

#include "dsp/highpass.hpp"

#include <cmath>
#include <numbers>

namespace qylon::dsp {

Result<Highpass> Highpass::create(const Options& options) {
  const float nyquist_hz = options.sample_rate_hz / 2.0F;
  if (!(options.cutoff_hz > 0.0F && options.cutoff_hz < nyquist_hz)) {
    return Error{ErrorCode::kInvalidArgument,
                 "high-pass cutoff_hz must lie between 0 and half of sample_rate_hz"};
  }
  const double omega = 2.0 * std::numbers::pi * static_cast<double>(options.cutoff_hz) /
                       static_cast<double>(options.sample_rate_hz);
  const double alpha = std::sin(omega) / std::numbers::sqrt2;  // sin(w0) / (2 Q), Q = 1/sqrt(2)
  const double cosine = std::cos(omega);
  const double scale = 1.0 / (1.0 + alpha);
  return Highpass(Coefficients{.b0 = 0.5 * (1.0 + cosine) * scale,
                               .b1 = -(1.0 + cosine) * scale,
                               .b2 = 0.5 * (1.0 + cosine) * scale,
                               .a1 = -2.0 * cosine * scale,
                               .a2 = (1.0 - alpha) * scale});
}

void Highpass::process(std::span<float> samples) noexcept {
  const Coefficients c = coefficients_;
  double state1 = state1_;
  double state2 = state2_;
  for (float& sample : samples) {
    const auto input = static_cast<double>(sample);
    const double output = c.b0 * input + state1;
    state1 = c.b1 * input - c.a1 * output + state2;
    state2 = c.b2 * input - c.a2 * output;
    sample = static_cast<float>(output);
  }
  // After two seconds of exact zeros the state would become denormal, and each sample ten times as
  // dear. 1e-30 is 600 dB below full scale.
  state1_ = std::abs(state1) < 1e-30 ? 0.0 : state1;
  state2_ = std::abs(state2) < 1e-30 ? 0.0 : state2;
}

void Highpass::reset() noexcept {
  state1_ = 0.0;
  state2_ = 0.0;
}

}  // namespace qylon::dsp

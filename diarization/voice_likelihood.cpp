#include "diarization/voice_likelihood.hpp"

#include <cmath>

namespace qylon::diarization {

VoiceLikelihood::VoiceLikelihood(const Options& options)
    : window_share_(options.window_share),
      half_dimensions_(options.dimensions / 2),
      ratio_(options.voice_share / (1 - options.voice_share)),
      noise_(1 - options.voice_share) {}

float VoiceLikelihood::evidence(float count, float square) const noexcept {
  const float n = window_share_ * count;
  const float scale = ratio_ / (1 + n * ratio_);
  return half_dimensions_ *
         (window_share_ * window_share_ * square / noise_ * scale - std::log(1 + n * ratio_));
}

float VoiceLikelihood::known_share(float count) const noexcept {
  const float n = window_share_ * count * ratio_;
  return n / (1 + n);
}

}  // namespace qylon::diarization

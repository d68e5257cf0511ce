#include "diarization/voice_print.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.hpp"
#include "dsp/log_mel.hpp"

namespace qylon::diarization {
namespace {

constexpr std::size_t kShortestSamples = dsp::LogMel::kRateHz / 2;
constexpr std::size_t kWindowFrames = 500;  // Longer ones tell more than the mean of short ones.
constexpr std::size_t kHopFrames = kWindowFrames / 2;

std::vector<float> features_of(std::span<const float> samples) {
  auto log_mel = dsp::LogMel::create(dsp::LogMel::Options::python_speech_features());
  QYLON_CHECK(log_mel);  // Constant options.
  return log_mel->batch(samples, false);
}

}  // namespace

Result<std::vector<float>> voice_print(const std::shared_ptr<const EmbeddingModel>& model,
                                       std::span<const float> samples) {
  if (samples.size() < kShortestSamples) {
    return Error{ErrorCode::kInvalidArgument, "a voice needs at least 0.5 s of speech"};
  }
  const std::vector<float> mel_db = features_of(samples);
  const std::size_t frames = mel_db.size() / kMelBands;
  Embedder embedder(model, kWindowFrames);
  std::vector<float> sum(static_cast<std::size_t>(model->size()));
  std::vector<float> embedding(sum.size());
  for (std::size_t start = 0;; start += kHopFrames) {
    // The last window ends with the clip.
    const std::size_t first =
        frames > kWindowFrames ? std::min(start, frames - kWindowFrames) : std::size_t{0};
    const std::size_t count = std::min(kWindowFrames, frames);
    embedder.embed(std::span(mel_db).subspan(first * kMelBands, count * kMelBands), embedding);
    std::transform(sum.begin(), sum.end(), embedding.begin(), sum.begin(), std::plus<>());
    if (start + kWindowFrames >= frames) break;
  }
  const float norm = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0F));
  for (float& value : sum)
    value /= std::max(norm, 1e-12F);
  return sum;
}

}  // namespace qylon::diarization

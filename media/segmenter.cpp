#include "media/segmenter.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace qylon::media {
namespace {

constexpr std::int64_t kSamplesPerMs = kPipelineRateHz / 1000;
constexpr int kBlockMs = 10;
// An onset that is interrupted by one or two weak blocks is still an onset.
constexpr int kOnsetDecay = 1;

}  // namespace

Segmenter::Segmenter(const Options& options) : options_(options) {
  QYLON_CHECK(options.off < options.on && options.longest_ms >= 2000);
  // The open utterance plus its pre-roll, and a pause that has not ended it yet.
  probabilities_.reserve(static_cast<std::size_t>(
      (options.longest_ms + options.pre_roll_ms + options.pause_ms) / kBlockMs + 16));
}

Segmenter::Step Segmenter::push(std::int64_t start_sample, float speech_probability) {
  Step step;
  now_ = start_sample + kBlockSamples;
  if (open_) {
    probabilities_.push_back(speech_probability);
    note_pause(start_sample, speech_probability, step);
    if (open_) cut_when_too_long(step);
  } else {
    note_onset(start_sample, speech_probability, step);
  }
  return step;
}

void Segmenter::note_onset(std::int64_t start_sample, float probability, Step& step) {
  if (probability < options_.on) {
    onset_blocks_ = std::max(0, onset_blocks_ - kOnsetDecay);
    return;
  }
  if (++onset_blocks_ * kBlockMs < options_.onset_ms) return;
  const std::int64_t onset = start_sample - (onset_blocks_ - 1) * kBlockSamples;
  start_ = std::max({onset - options_.pre_roll_ms * kSamplesPerMs, previous_end_, std::int64_t{0}});
  open_ = true;
  last_speech_ = now_;
  onset_blocks_ = 0;
  probabilities_.assign(static_cast<std::size_t>((now_ - start_) / kBlockSamples), probability);
  step.begin = start_;
}

void Segmenter::note_pause(std::int64_t start_sample, float probability, Step& step) {
  if (probability >= options_.off) {
    last_speech_ = start_sample + kBlockSamples;
    return;
  }
  if (now_ - last_speech_ < options_.pause_ms * kSamplesPerMs) return;
  close(std::min(last_speech_ + options_.post_roll_ms * kSamplesPerMs, now_));
  step.end = previous_end_;
}

void Segmenter::cut_when_too_long(Step& step) {
  if (now_ - start_ < options_.longest_ms * kSamplesPerMs) return;
  const std::int64_t cut = quietest_sample();
  split(cut);
  step.end = cut;
  step.begin = cut;
}

/// Middle of the quietest 50 ms among the last three seconds of the open utterance.
std::int64_t Segmenter::quietest_sample() const {
  constexpr std::size_t kWindow = 5;
  constexpr std::size_t kSearch = kForcedCutSearchMs / kBlockMs;
  std::size_t best = probabilities_.size() - std::min(kSearch, probabilities_.size() / 2);
  float best_sum = 2.0F * kWindow;
  for (std::size_t i = best; i + kWindow <= probabilities_.size(); ++i) {
    float sum = 0.0F;
    for (std::size_t k = 0; k < kWindow; ++k)
      sum += probabilities_[i + k];
    if (sum < best_sum) {
      best_sum = sum;
      best = i + kWindow / 2;
    }
  }
  return start_ + static_cast<std::int64_t>(best) * kBlockSamples;
}

Segmenter::Step Segmenter::flush() {
  Step step;
  onset_blocks_ = 0;
  if (!open_) return step;
  close(std::min(last_speech_ + options_.post_roll_ms * kSamplesPerMs, now_));
  step.end = previous_end_;
  return step;
}

void Segmenter::split(std::int64_t sample) {
  QYLON_CHECK(open_ && sample > start_ && sample <= now_);
  const auto blocks = std::min<std::int64_t>((sample - start_) / kBlockSamples,
                                             static_cast<std::int64_t>(probabilities_.size()));
  probabilities_.erase(probabilities_.begin(), probabilities_.begin() + blocks);
  start_ = sample;
  previous_end_ = sample;
}

void Segmenter::close(std::int64_t end) {
  open_ = false;
  previous_end_ = std::max(end, start_);
}

}  // namespace qylon::media

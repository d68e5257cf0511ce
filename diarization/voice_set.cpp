#include "diarization/voice_set.hpp"

#include <algorithm>

#include "core/check.hpp"
#include "dsp/kernels.hpp"

namespace qylon::diarization {
namespace {

constexpr float kPriorVoices = 3.0F;  // What the training speakers' mean counts against a meeting.

float dot(std::span<const float> a, std::span<const float> b) {
  return dsp::kernels().dot(a.data(), b.data(), a.size());
}

void add_scaled(std::span<const float> vector, float factor, std::span<float> sum) {
  for (std::size_t i = 0; i < sum.size(); ++i)
    sum[i] += factor * vector[i];
}

}  // namespace

VoiceSet::VoiceSet(std::size_t size, const VoiceLikelihood::Options& options)
    : size_(size), likelihood_(options), mean_(size), scratch_(size) {}

int VoiceSet::index_of(int number) const noexcept {
  for (std::size_t i = 0; i < voices_.size(); ++i) {
    if (voices_[i].number == number) return static_cast<int>(i);
  }
  return -1;
}

VoiceSet::Centred VoiceSet::centred(std::span<const float> vector, float count) const {
  std::copy(vector.begin(), vector.end(), scratch_.begin());
  add_scaled(mean_, -1.0F, scratch_);
  return {scratch_, dot(scratch_, scratch_), count};
}

float VoiceSet::gain(const Voice& voice, const Centred& window) const noexcept {
  const float square = voice.square + 2 * window.count * dot(voice.sum, window.vector) +
                       window.count * window.count * window.square;
  return likelihood_.evidence(voice.count + window.count, square) - voice.evidence;
}

float VoiceSet::gain_of_own(const Voice& voice, const Centred& window) const noexcept {
  const float square = voice.square - 2 * window.count * dot(voice.sum, window.vector) +
                       window.count * window.count * window.square;
  return voice.evidence - likelihood_.evidence(std::max(0.0F, voice.count - window.count), square);
}

float VoiceSet::evidence_alone(const Centred& window) const noexcept {
  return likelihood_.evidence(window.count, window.count * window.count * window.square);
}

VoiceSet::Voice& VoiceSet::numbered(int number) {
  if (const int index = index_of(number); index >= 0) {
    return voices_[static_cast<std::size_t>(index)];
  }
  Voice voice;
  voice.number = number;
  voice.sum.resize(size_);
  voice.forgotten.resize(size_);
  return voices_.emplace_back(std::move(voice));
}

void VoiceSet::found(int number) {
  numbered(number);
}

void VoiceSet::add(int index, const Centred& window) {
  Voice& voice = voices_[static_cast<std::size_t>(index)];
  add_scaled(window.vector, window.count, voice.sum);
  voice.count += window.count;
  voice.square = dot(voice.sum, voice.sum);
  voice.evidence = likelihood_.evidence(voice.count, voice.square);
}

void VoiceSet::forget(int number, std::span<const float> vector, float count) {
  Voice& voice = numbered(number);
  add_scaled(vector, count, voice.forgotten);
  voice.forgotten_count += count;
}

void VoiceSet::collect(const VoiceHistory& history, std::span<const int> number_of) {
  QYLON_CHECK(number_of.size() == voices_.size());
  const std::vector<Voice> before = std::move(voices_);
  voices_.clear();
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].forgotten_count <= 0) continue;
    Voice& voice = numbered(number_of[i]);
    add_scaled(before[i].forgotten, 1.0F, voice.forgotten);
    voice.forgotten_count += before[i].forgotten_count;
  }
  for (Voice& voice : voices_) {
    voice.sum = voice.forgotten;
    voice.count = voice.forgotten_count;
  }
  for (std::int64_t evidence = history.first(); evidence < history.next(); ++evidence) {
    const int number = history.voice_of(evidence);
    if (number < 0) continue;
    Voice& voice = numbered(number);
    const float count = history.window(evidence).count;
    add_scaled(history.vector(evidence), count, voice.sum);
    voice.count += count;
  }
  centre();
}

/// Posterior mean of the voices' prior, each voice counting as far as it is known.
void VoiceSet::centre() {
  std::fill(mean_.begin(), mean_.end(), 0.0F);
  float known = kPriorVoices;
  for (const Voice& voice : voices_) {
    const float share = likelihood_.known_share(voice.count);
    known += share;
    add_scaled(voice.sum, share / std::max(voice.count, 1e-6F), mean_);
  }
  for (float& value : mean_)
    value /= known;
  for (Voice& voice : voices_) {
    add_scaled(mean_, -voice.count, voice.sum);
    voice.square = dot(voice.sum, voice.sum);
    voice.evidence = likelihood_.evidence(voice.count, voice.square);
  }
}

}  // namespace qylon::diarization

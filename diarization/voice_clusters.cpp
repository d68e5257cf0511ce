#include "diarization/voice_clusters.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.hpp"
#include "diarization/linkage_clustering.hpp"
#include "diarization/optimal_mapping.hpp"
#include "diarization/spectral_clustering.hpp"
#include "diarization/voice_archive.hpp"
#include "diarization/voice_points.hpp"

namespace qylon::diarization {
namespace {

using Options = VoiceClusters::Options;
using Follower = VoiceClusters::Follower;
using Observation = VoiceClusters::Observation;
using Assignment = VoiceClusters::Assignment;

constexpr float kFullWindow_s = 1.5F;
constexpr float kNewVoiceWindow_s = 0.8F;  // Shorter windows are too unsure to found a voice.
constexpr float kSure = 0.5F;              // Posterior from which a window shapes the centroid.
constexpr float kProbabilityMin = 1e-12F;

struct Voice {
  int number = 0;
  std::vector<float> sum;  // Weighted sum of its embeddings; its direction is the centroid.
  float norm = 0;
};

/// How much a window counts; a short one is noisier.
float weight_of(const Observation& observation) {
  return std::min(1.0F, observation.window_s / kFullWindow_s);
}

void measure(Voice& voice) {
  voice.norm =
      std::sqrt(std::inner_product(voice.sum.begin(), voice.sum.end(), voice.sum.begin(), 0.0F));
}

float cosine(const Voice& voice, std::span<const float> unit) {
  const float product = std::inner_product(unit.begin(), unit.end(), voice.sum.begin(), 0.0F);
  return product / std::max(voice.norm, kProbabilityMin);
}

}  // namespace

struct VoiceClusters::State {
  State(std::shared_ptr<const EmbeddingModel> shared, const Options& chosen)
      : model(std::move(shared)),
        options(chosen),
        embedder(model),
        points(model->size(), chosen.points_max),
        archive(model->size()) {
    voices.reserve(static_cast<std::size_t>(options.voices_max));
  }

  std::shared_ptr<const EmbeddingModel> model;  // Constant after construction, as the options.
  Options options;
  Embedder embedder;
  VoicePoints points;
  VoiceArchive archive;
  std::vector<int> final_voices;  // Of every window, in the end.
  std::vector<Voice> voices;
  int next_number = 0;
  float speech_s = 0;
  float next_refresh_s = 0;
  int proposed_voices =
      0;  // Another number of voices that the last refreshes found, and how often.
  int proposals = 0;
  std::int64_t revision = 0;

  /// A voice of all points that carry its number.
  void add_voice(int number) {
    Voice voice{number, std::vector<float>(static_cast<std::size_t>(model->size())), 0};
    points.sum_of(number, voice.sum);
    measure(voice);
    voices.push_back(std::move(voice));
  }
  Voice& voice_numbered(int number) {
    const auto found = std::find_if(
        voices.begin(), voices.end(), [&](const Voice& voice) { return voice.number == number; });
    QYLON_CHECK(found != voices.end());
    return *found;
  }

  void synchronise(Follower& follower) const;
  void filter(Follower& follower, const Observation& observation) const;
  Assignment assign(Follower& follower, std::int64_t evidence, const Observation& observation);
  Assignment found(Follower& follower, std::int64_t evidence, const Observation& observation);
  int found_from_pending(Follower& follower);
  Assignment first_voice(Follower& follower, std::int64_t evidence);
  void refresh();
  void adopt(const std::vector<int>& group_of);
  std::vector<int> numbers_for(std::span<const int> group_of,
                               std::span<const int> voice_of,
                               std::span<const float> weight_of_point);
};

/// After a refresh all that is known about a track's present is the voice of its last window.
void VoiceClusters::State::synchronise(Follower& follower) const {
  if (follower.revision == revision) return;
  follower.revision = revision;
  follower.pending_count = 0;
  follower.new_voice = 0;
  follower.beliefs.clear();
  const int voice = points.voice_of(follower.last_evidence);
  if (voice >= 0) follower.beliefs.push_back({voice, 1.0F});
}

/// One step of the forward filter: what was believed, the chance of a change, what is heard.
void VoiceClusters::State::filter(Follower& follower, const Observation& observation) const {
  const EmbeddingModel::Calibration& calibration = model->calibration();
  const float stay = options.stay * std::exp(-observation.gap_s / options.stay_s);
  const float weight = weight_of(observation);
  const bool full = static_cast<int>(voices.size()) >= options.voices_max;
  const float fresh = full ? 0.0F : options.new_voice;
  const auto before = [&](int number) {
    for (const Follower::Belief& belief : follower.beliefs) {
      if (belief.voice == number) return belief.probability;
    }
    return 0.0F;
  };
  std::vector<Follower::Belief> now;
  now.reserve(static_cast<std::size_t>(options.voices_max));
  const float change = (1.0F - stay) * (1.0F - fresh) / static_cast<float>(voices.size());
  const auto heard = [&](float prior, float similarity) {
    return std::max(prior, kProbabilityMin) *
           std::exp(calibration.sharpness * weight * (similarity - 1.0F));
  };
  float total =
      full ? 0.0F : heard(stay * follower.new_voice + (1.0F - stay) * fresh, calibration.new_voice);
  const float fresh_score = total;
  for (const Voice& voice : voices) {
    const float score =
        heard(stay * before(voice.number) + change, cosine(voice, observation.embedding));
    now.push_back({voice.number, score});
    total += score;
  }
  for (Follower::Belief& belief : now)
    belief.probability /= total;
  follower.new_voice = fresh_score / total;
  follower.beliefs = std::move(now);
}

const Follower::Belief& likeliest(const Follower& follower) {
  return *std::max_element(follower.beliefs.begin(),
                           follower.beliefs.end(),
                           [](const Follower::Belief& a, const Follower::Belief& b) {
                             return a.probability < b.probability;
                           });
}

Assignment VoiceClusters::State::assign(Follower& follower,
                                        std::int64_t evidence,
                                        const Observation& observation) {
  if (voices.empty()) return first_voice(follower, evidence);
  filter(follower, observation);
  const Follower::Belief best = likeliest(follower);
  if (follower.new_voice > best.probability) return found(follower, evidence, observation);
  follower.pending_count = 0;
  points.set_voice(evidence, best.voice);
  if (best.probability > kSure) {
    Voice& voice = voice_numbered(best.voice);
    const float weight = best.probability * weight_of(observation);
    for (std::size_t i = 0; i < voice.sum.size(); ++i) {
      voice.sum[i] += weight * observation.embedding[i];
    }
    measure(voice);
  }
  return {best.voice, best.probability, evidence};
}

/// Nobody else has spoken: no need to wait.
Assignment VoiceClusters::State::first_voice(Follower& follower, std::int64_t evidence) {
  const int number = next_number++;
  points.set_voice(evidence, number);
  add_voice(number);
  follower.beliefs.assign(1, {number, 1.0F});
  follower.new_voice = 0;
  return {number, 1.0F, evidence};
}

/// Counts a window that resembles no voice; enough of them in a row are a new one. Until then its
/// label is withheld.
Assignment VoiceClusters::State::found(Follower& follower,
                                       std::int64_t evidence,
                                       const Observation& observation) {
  const float probability = follower.new_voice;
  if (observation.window_s < kNewVoiceWindow_s) return {-1, probability, evidence};
  follower.pending[static_cast<std::size_t>(follower.pending_count++)] = evidence;
  if (follower.pending_count < options.new_voice_windows) return {-1, probability, evidence};
  return {found_from_pending(follower), probability, evidence};
}

int VoiceClusters::State::found_from_pending(Follower& follower) {
  const int number = next_number++;
  for (int i = 0; i < follower.pending_count; ++i) {
    points.set_voice(follower.pending[static_cast<std::size_t>(i)], number);
  }
  add_voice(number);
  follower.pending_count = 0;
  follower.new_voice = 0;
  follower.beliefs.assign(1, {number, 1.0F});
  return number;
}

/// Clusters all evidence afresh. Another number of voices is adopted only when refreshes agree on
/// it, so that one odd moment does not tear a meeting apart.
void VoiceClusters::State::refresh() {
  const int size = model->size();
  const std::span<const float> vectors = points.unit_vectors();
  LinkageOptions linkage;
  linkage.similarity_min = model->calibration().split;
  const std::vector<int> group_of =
      points.count() >= options.spectral_points
          ? spectral_clusters(vectors, size, SpectralOptions{})
          : linkage_clusters(vectors, size, points.weights(), linkage);
  const int groups = *std::max_element(group_of.begin(), group_of.end()) + 1;
  if (groups != static_cast<int>(voices.size())) {
    proposals = groups == proposed_voices ? proposals + 1 : 1;
    proposed_voices = groups;
    if (proposals < options.agreeing_refreshes) return;
  }
  proposals = 0;
  adopt(group_of);
}

/// Groups take over the numbers of the voices with which they share most evidence; weights empty:
/// all the same.
std::vector<int> VoiceClusters::State::numbers_for(std::span<const int> group_of,
                                                   std::span<const int> voice_of_point,
                                                   std::span<const float> weights) {
  const auto columns = voices.size();
  const auto groups =
      static_cast<std::size_t>(*std::max_element(group_of.begin(), group_of.end()) + 1);
  std::vector<double> shared(groups * columns);
  for (std::size_t i = 0; i < group_of.size(); ++i) {
    const auto voice = std::find_if(voices.begin(), voices.end(), [&](const Voice& v) {
      return v.number == voice_of_point[i];
    });
    if (voice == voices.end()) continue;
    const auto column = static_cast<std::size_t>(voice - voices.begin());
    shared[static_cast<std::size_t>(group_of[i]) * columns + column] +=
        weights.empty() ? 1.0 : static_cast<double>(weights[i]);
  }
  const std::vector<int> mapping =
      optimal_mapping(shared, static_cast<int>(groups), static_cast<int>(columns));
  std::vector<int> number_of(groups);
  for (std::size_t group = 0; group < groups; ++group) {
    const int column = mapping[group];
    const bool known =
        column >= 0 && shared[group * columns + static_cast<std::size_t>(column)] > 0;
    number_of[group] = known ? voices[static_cast<std::size_t>(column)].number : next_number++;
  }
  return number_of;
}

void VoiceClusters::State::adopt(const std::vector<int>& group_of) {
  const std::vector<int> number_of = numbers_for(group_of, points.voices(), points.weights());
  for (std::size_t i = 0; i < group_of.size(); ++i) {
    points.voices()[i] = number_of[static_cast<std::size_t>(group_of[i])];
  }
  voices.clear();
  for (const int number : number_of)
    add_voice(number);
  ++revision;
}

VoiceClusters::VoiceClusters(std::shared_ptr<const EmbeddingModel> model)
    : VoiceClusters(std::move(model), Options{}) {}
VoiceClusters::VoiceClusters(std::shared_ptr<const EmbeddingModel> model, const Options& options)
    : state_(std::make_unique<State>(std::move(model), options)) {
  QYLON_CHECK(options.voices_max >= 1);
  QYLON_CHECK(options.new_voice_windows >= 1 && options.new_voice_windows <= 8);
  state_->next_refresh_s = options.refresh_from_s;
}
VoiceClusters::~VoiceClusters() = default;

Assignment VoiceClusters::observe(Follower& follower, const Observation& observation) {
  State& state = *state_;
  QYLON_CHECK(static_cast<int>(observation.embedding.size()) == embedding_size());
  state.synchronise(follower);
  const std::int64_t evidence = state.points.add(observation.embedding, weight_of(observation), -1);
  state.archive.add(observation.embedding, weight_of(observation));
  Assignment out = state.assign(follower, evidence, observation);
  follower.last_evidence = evidence;
  state.speech_s += observation.new_s;
  if (state.speech_s >= state.next_refresh_s) {
    state.next_refresh_s = state.speech_s + state.options.refresh_s;
    state.refresh();
    out.voice = voice_of(evidence);
  }
  return out;
}

std::vector<VoiceClusters::Profile> VoiceClusters::profiles() const {
  std::vector<Profile> out;
  std::vector<float> sum(static_cast<std::size_t>(embedding_size()));
  for (const Voice& voice : state_->voices) {
    std::fill(sum.begin(), sum.end(), 0.0F);
    const float weight = state_->points.sum_of(voice.number, sum);
    Profile profile{voice.number, voice.sum, weight};
    for (float& value : profile.centroid)
      value /= std::max(voice.norm, kProbabilityMin);
    out.push_back(std::move(profile));
  }
  return out;
}

bool VoiceClusters::add_known(std::span<const float> centroid, float weight) {
  State& state = *state_;
  if (static_cast<int>(centroid.size()) != embedding_size()) return false;
  const int number = state.next_number++;
  state.points.add(centroid, weight, number);
  state.archive.add(centroid, weight);
  state.add_voice(number);
  return true;
}

int VoiceClusters::settle(Follower& follower) {
  State& state = *state_;
  state.synchronise(follower);
  const bool full = static_cast<int>(state.voices.size()) >= state.options.voices_max;
  if (follower.pending_count == 0 || full) return -1;
  return state.found_from_pending(follower);
}

Assignment VoiceClusters::judge(const Follower& follower, const Observation& observation) const {
  if (state_->voices.empty()) return {};
  Follower imagined = follower;
  state_->synchronise(imagined);
  state_->filter(imagined, observation);
  const Follower::Belief best = likeliest(imagined);
  if (imagined.new_voice > best.probability) return {-1, imagined.new_voice, -1};
  return {best.voice, best.probability, -1};
}

void VoiceClusters::finish() {
  State& state = *state_;
  if (state.archive.count() == 0) return;
  std::vector<int> until_now;
  for (std::int64_t evidence = 0; evidence < state.archive.count(); ++evidence)
    until_now.push_back(state.points.voice_of(evidence));
  const std::vector<int> group_of = state.archive.group(until_now);
  const std::vector<int> number_of = state.numbers_for(group_of, until_now, {});
  for (const int group : group_of)
    state.final_voices.push_back(number_of[static_cast<std::size_t>(group)]);
}

int VoiceClusters::voice_of(std::int64_t evidence) const noexcept {
  const auto& final_voices = state_->final_voices;
  if (final_voices.empty()) return state_->points.voice_of(evidence);
  const bool known = evidence >= 0 && evidence < static_cast<std::int64_t>(final_voices.size());
  return known ? final_voices[static_cast<std::size_t>(evidence)] : -1;
}
int VoiceClusters::voice_count() const noexcept {
  return static_cast<int>(state_->voices.size());
}
Embedder& VoiceClusters::embedder() noexcept {
  return state_->embedder;
}
int VoiceClusters::embedding_size() const noexcept {
  return state_->model->size();
}

}  // namespace qylon::diarization

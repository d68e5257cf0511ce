#include "diarization/voice_clusters.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/check.hpp"
#include "diarization/optimal_mapping.hpp"
#include "diarization/voice_archive.hpp"
#include "diarization/voice_regrouping.hpp"

namespace qylon::diarization {
namespace {

using Options = VoiceClusters::Options;
using Follower = VoiceClusters::Follower;
using Observation = VoiceClusters::Observation;
using Assignment = VoiceClusters::Assignment;

constexpr float kFullWindow_s = 1.5F;
constexpr float kNewVoiceWindow_s = 0.8F;  // Shorter windows are too unsure to found a voice.
constexpr float kLightestVoice = 1.5F;     // Windows.
constexpr float kLightestAtPause = 0.7F;   // When no more is coming.
constexpr int kPendingMax = 2;             // Windows that wait before all are looked at again.
/// A refresh after every window at first, then the later the more there is to look at.
constexpr std::int64_t kWindowsPerDelay = 60;
constexpr float kProbabilityMin = 1e-12F;
constexpr float kAgeWeight = 1e-4F;  // Per window.

/// How much a window counts; a short one is noisier.
float count_of(const Observation& observation) {
  return std::min(1.0F, observation.window_s / kFullWindow_s);
}

const Follower::Belief& likeliest(const Follower& follower) {
  return *std::max_element(follower.beliefs.begin(),
                           follower.beliefs.end(),
                           [](const Follower::Belief& a, const Follower::Belief& b) {
                             return a.probability < b.probability;
                           });
}

}  // namespace

struct VoiceClusters::State {
  State(std::shared_ptr<const EmbeddingModel> shared, const Options& chosen)
      : model(std::move(shared)),
        options(chosen),
        embedder(model),
        history(model->size(), chosen.windows_kept),
        archive(model->size()),
        voices(static_cast<std::size_t>(model->size()), model->calibration()) {}

  std::shared_ptr<const EmbeddingModel> model;  // Constant after construction, as the options.
  Options options;
  Embedder embedder;
  VoiceHistory history;
  VoiceArchive archive;
  VoiceSet voices;
  std::vector<int> final_voices;  // Of every window, in the end.
  int next_number = 0;
  int next_track = 0;
  std::int64_t refreshed = 0;  // Windows there were at the last refresh.
  std::int64_t revision = 0;

  std::int64_t remember(Follower& follower, const Observation& observation);
  void synchronise(Follower& follower) const;
  void filter(Follower& follower, const VoiceSet::Centred& window, float gap_s) const;
  Assignment assign(Follower& follower, std::int64_t evidence, const Observation& observation);
  void refresh(float lightest);
  void regroup(const VoiceGroups& groups);
  void collect(std::span<const int> number_of);
  std::vector<int> numbers_for(std::span<const int> group_of,
                               std::span<const int> voice_of_point,
                               std::span<const float> weights);
};

std::int64_t VoiceClusters::State::remember(Follower& follower, const Observation& observation) {
  if (follower.track < 0) follower.track = next_track++;
  if (history.full()) {
    const std::int64_t oldest = history.first();
    const int voice = history.voice_of(oldest);
    if (voice >= 0) voices.forget(voice, history.vector(oldest), history.window(oldest).count);
  }
  const float count = count_of(observation);
  archive.add(observation.embedding, count);
  return history.add(observation.embedding, {follower.track, count, observation.gap_s});
}

/// After a refresh all that is known about a track's present is the voice of its last window.
void VoiceClusters::State::synchronise(Follower& follower) const {
  if (follower.revision == revision) return;
  follower.revision = revision;
  follower.new_voice = 0;
  follower.beliefs.clear();
  const int voice = history.voice_of(follower.last_evidence);
  if (voice < 0) return;
  follower.pending = 0;
  follower.beliefs.push_back({voice, 1.0F});
}

/// One step of the forward filter: what was believed, the chance of a change, what is heard.
void VoiceClusters::State::filter(Follower& follower,
                                  const VoiceSet::Centred& window,
                                  float gap_s) const {
  const std::span<const VoiceSet::Voice> known = voices.voices();
  const float stay = options.stay * std::exp(-gap_s / options.stay_s);
  const bool full = static_cast<int>(known.size()) >= options.voices_max;
  const float fresh = full ? 0.0F : options.new_voice;
  const float change = (1.0F - stay) * (1.0F - fresh) / static_cast<float>(known.size());
  const auto before = [&](int number) {
    for (const Follower::Belief& belief : follower.beliefs) {
      if (belief.voice == number) return belief.probability;
    }
    return 0.0F;
  };
  const auto score = [](float prior, float gain) {
    return std::log(std::max(prior, kProbabilityMin)) + gain;
  };
  const float fresh_score =
      score(stay * follower.new_voice + (1.0F - stay) * fresh, voices.evidence_alone(window));
  std::vector<Follower::Belief> now;
  float most = full ? -std::numeric_limits<float>::infinity() : fresh_score;
  for (const VoiceSet::Voice& voice : known) {
    const float prior = stay * before(voice.number) + change;
    now.push_back({voice.number, score(prior, voices.gain(voice, window))});
    most = std::max(most, now.back().probability);
  }
  float total = full ? 0.0F : std::exp(fresh_score - most);
  follower.new_voice = total;
  for (Follower::Belief& belief : now)
    total += belief.probability = std::exp(belief.probability - most);
  for (Follower::Belief& belief : now)
    belief.probability /= total;
  follower.new_voice /= total;
  follower.beliefs = std::move(now);
}

/// The first voice needs no proof; a window that resembles no voice is withheld until there is
/// more.
Assignment VoiceClusters::State::assign(Follower& follower,
                                        std::int64_t evidence,
                                        const Observation& observation) {
  const VoiceSet::Centred window = voices.centred(observation.embedding, count_of(observation));
  if (voices.voices().empty()) {
    voices.found(next_number);
    follower.beliefs.assign(1, {next_number++, 1.0F});
    follower.new_voice = 0;
  } else {
    filter(follower, window, observation.gap_s);
  }
  const Follower::Belief best = likeliest(follower);
  if (follower.new_voice > best.probability) {
    follower.pending += observation.window_s >= kNewVoiceWindow_s ? 1 : 0;
    return {-1, follower.new_voice, evidence};
  }
  follower.pending = 0;
  history.set_voice(evidence, best.voice);
  voices.add(voices.index_of(best.voice), window);
  return {best.voice, best.probability, evidence};
}

void VoiceClusters::State::refresh(float lightest) {
  refreshed = history.next();
  const int first_new = next_number;
  std::vector<int> shown;
  for (std::int64_t evidence = history.first(); evidence < history.next(); ++evidence)
    shown.push_back(history.voice_of(evidence));
  const bool withheld = std::find(shown.begin(), shown.end(), -1) != shown.end();
  const VoiceGroups groups = regrouped(history, voices, lightest, options.voices_max);
  // The search is greedy: what it finds is not always likelier than what there is.
  if (withheld || groups.gain > 0) regroup(groups);
  smooth_changes(history, voices, shown, {options.stay, options.stay_s});
  std::vector<int> numbers;
  for (const VoiceSet::Voice& voice : voices.voices())
    numbers.push_back(voice.number);
  collect(numbers);
  // A new number that no window kept was shown to nobody.
  while (next_number > first_new && voices.index_of(next_number - 1) < 0)
    --next_number;
}

/// Groups take over the numbers of the voices with which they share most evidence.
void VoiceClusters::State::regroup(const VoiceGroups& groups) {
  std::vector<int> group_of;
  std::vector<int> voice_of;
  std::vector<float> weights;
  const auto share = [&](int group, int voice, float weight) {
    if (group < 0) return;
    group_of.push_back(group);
    voice_of.push_back(voice);
    weights.push_back(weight);
  };
  for (std::size_t i = 0; i < groups.of_voice.size(); ++i) {
    const VoiceSet::Voice& voice = voices.voices()[i];
    share(groups.of_voice[i], voice.number, voice.forgotten_count);
  }
  for (std::size_t i = 0; i < groups.of_window.size(); ++i) {
    const std::int64_t evidence = history.first() + static_cast<std::int64_t>(i);
    // Of equal shares of a number the older has it, so that numbers follow the order of appearance.
    const float age = static_cast<float>(groups.of_window.size() - i) * kAgeWeight;
    share(groups.of_window[i],
          history.voice_of(evidence),
          history.window(evidence).count * (1.0F + age));
  }
  const std::vector<int> number_of = numbers_for(group_of, voice_of, weights);
  const auto number = [&](int group) {
    return group < 0 ? -1 : number_of[static_cast<std::size_t>(group)];
  };
  for (std::size_t i = 0; i < groups.of_window.size(); ++i)
    history.set_voice(history.first() + static_cast<std::int64_t>(i), number(groups.of_window[i]));
  std::vector<int> before;
  std::vector<int> number_of_voice;
  for (std::size_t i = 0; i < groups.of_voice.size(); ++i) {
    const int known = voices.voices()[i].number;  // Without forgotten windows nothing to rename.
    before.push_back(known);
    number_of_voice.push_back(groups.of_voice[i] < 0 ? known : number(groups.of_voice[i]));
  }
  history.rename_forgotten(before, number_of_voice);
  collect(number_of_voice);
}

void VoiceClusters::State::collect(std::span<const int> number_of) {
  voices.collect(history, number_of);
  ++revision;
}

std::vector<int> VoiceClusters::State::numbers_for(std::span<const int> group_of,
                                                   std::span<const int> voice_of_point,
                                                   std::span<const float> weights) {
  const auto columns = voices.voices().size();
  const auto groups =
      static_cast<std::size_t>(*std::max_element(group_of.begin(), group_of.end()) + 1);
  std::vector<double> shared(groups * columns);
  std::vector<bool> used(groups);
  for (std::size_t i = 0; i < group_of.size(); ++i) {
    const auto group = static_cast<std::size_t>(group_of[i]);
    used[group] = true;
    const int column = voices.index_of(voice_of_point[i]);
    if (column < 0) continue;
    shared[group * columns + static_cast<std::size_t>(column)] += static_cast<double>(weights[i]);
  }
  const std::vector<int> mapping =
      optimal_mapping(shared, static_cast<int>(groups), static_cast<int>(columns));
  std::vector<int> number_of(groups, -1);
  for (std::size_t group = 0; group < groups; ++group) {
    if (!used[group]) continue;
    const int column = mapping[group];
    const bool known =
        column >= 0 && shared[group * columns + static_cast<std::size_t>(column)] > 0;
    number_of[group] =
        known ? voices.voices()[static_cast<std::size_t>(column)].number : next_number++;
  }
  return number_of;
}

VoiceClusters::VoiceClusters(std::shared_ptr<const EmbeddingModel> model)
    : VoiceClusters(std::move(model), Options{}) {}
VoiceClusters::VoiceClusters(std::shared_ptr<const EmbeddingModel> model, const Options& options)
    : state_(std::make_unique<State>(std::move(model), options)) {
  QYLON_CHECK(options.voices_max >= 1);
}
VoiceClusters::~VoiceClusters() = default;

Assignment VoiceClusters::observe(Follower& follower, const Observation& observation) {
  State& state = *state_;
  QYLON_CHECK(static_cast<int>(observation.embedding.size()) == embedding_size());
  state.synchronise(follower);
  const std::int64_t evidence = state.remember(follower, observation);
  Assignment out = state.assign(follower, evidence, observation);
  follower.last_evidence = evidence;
  const std::int64_t kept = state.history.next() - state.history.first();
  const std::int64_t delay = 1 + kept / kWindowsPerDelay;
  if (follower.pending >= kPendingMax || state.history.next() - state.refreshed >= delay) {
    state.refresh(kLightestVoice);
    out.voice = voice_of(evidence);
  }
  return out;
}

std::vector<VoiceClusters::Profile> VoiceClusters::profiles() const {
  std::vector<Profile> out;
  const std::span<const float> mean = state_->voices.mean();
  for (const VoiceSet::Voice& voice : state_->voices.voices()) {
    Profile profile{voice.number, voice.sum, voice.count};
    for (std::size_t i = 0; i < mean.size(); ++i)
      profile.centroid[i] += voice.count * mean[i];
    const float square = std::inner_product(
        profile.centroid.begin(), profile.centroid.end(), profile.centroid.begin(), 0.0F);
    for (float& value : profile.centroid)
      value /= std::sqrt(std::max(square, kProbabilityMin));
    out.push_back(std::move(profile));
  }
  return out;
}

bool VoiceClusters::add_known(std::span<const float> centroid, float weight) {
  State& state = *state_;
  if (static_cast<int>(centroid.size()) != embedding_size()) return false;
  // The mean of windows is shorter than each by what is noise in them.
  const float length = std::sqrt(state.model->calibration().voice_share);
  std::vector<float> mean(centroid.begin(), centroid.end());
  for (float& value : mean)
    value *= length;
  state.voices.forget(state.next_number++, mean, weight);
  std::vector<int> numbers(state.voices.voices().size());
  std::iota(numbers.begin(), numbers.end(), 0);
  state.collect(numbers);
  return true;
}

int VoiceClusters::settle(Follower& follower) {
  State& state = *state_;
  state.synchronise(follower);
  if (follower.pending == 0) return -1;
  state.refresh(kLightestAtPause);
  return voice_of(follower.last_evidence);
}

Assignment VoiceClusters::judge(const Follower& follower, const Observation& observation) const {
  const State& state = *state_;
  if (state.voices.voices().empty()) return {};
  Follower imagined = follower;
  state.synchronise(imagined);
  state.filter(imagined,
               state.voices.centred(observation.embedding, count_of(observation)),
               observation.gap_s);
  const Follower::Belief best = likeliest(imagined);
  if (imagined.new_voice > best.probability) return {-1, imagined.new_voice, -1};
  return {best.voice, best.probability, -1};
}

void VoiceClusters::finish() {
  State& state = *state_;
  if (state.archive.count() == 0) return;
  state.refresh(kLightestAtPause);
  std::vector<int> until_now;
  for (std::int64_t evidence = 0; evidence < state.archive.count(); ++evidence)
    until_now.push_back(state.history.voice_of(evidence));
  const std::vector<int> group_of = state.archive.group(until_now);
  const std::vector<float> equal(group_of.size(), 1.0F);
  const std::vector<int> number_of = state.numbers_for(group_of, until_now, equal);
  for (const int group : group_of)
    state.final_voices.push_back(number_of[static_cast<std::size_t>(group)]);
}

int VoiceClusters::voice_of(std::int64_t evidence) const noexcept {
  const auto& final_voices = state_->final_voices;
  if (final_voices.empty()) return state_->history.voice_of(evidence);
  const bool known = evidence >= 0 && evidence < static_cast<std::int64_t>(final_voices.size());
  return known ? final_voices[static_cast<std::size_t>(evidence)] : -1;
}
int VoiceClusters::voice_count() const noexcept {
  return static_cast<int>(state_->voices.voices().size());
}
Embedder& VoiceClusters::embedder() noexcept {
  return state_->embedder;
}
const EmbeddingModel& VoiceClusters::model() const noexcept {
  return *state_->model;
}
int VoiceClusters::embedding_size() const noexcept {
  return state_->model->size();
}

}  // namespace qylon::diarization

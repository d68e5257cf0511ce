#include "diarization/voice_points.hpp"

#include <algorithm>
#include <array>

#include <Eigen/Core>

#include "core/check.hpp"

namespace qylon::diarization {

struct VoicePoints::State {
  State(Eigen::Index size, Eigen::Index capacity_points)
      : capacity(capacity_points),
        sums(Eigen::MatrixXf::Zero(size, capacity_points)),
        units(size, capacity_points),
        weights(static_cast<std::size_t>(capacity_points)),
        voices(static_cast<std::size_t>(capacity_points)) {
    point_of.fill(-1);
  }

  Eigen::Index capacity;
  Eigen::MatrixXf sums;   // [size, capacity] weight * vector.
  Eigen::MatrixXf units;  // Filled on demand.
  std::vector<float> weights;
  std::vector<int> voices;
  std::array<int, kEvidenceKept> point_of{};  // [evidence % kEvidenceKept] index of its point.
  int count = 0;
  std::int64_t next_evidence = 0;

  /// Index into point_of, or -1 for evidence that was never given or is too long ago.
  std::ptrdiff_t slot(std::int64_t evidence) const {
    const bool kept =
        evidence >= 0 && evidence < next_evidence && evidence >= next_evidence - kEvidenceKept;
    return kept ? static_cast<std::ptrdiff_t>(evidence % kEvidenceKept) : -1;
  }
};

VoicePoints::VoicePoints(int size, int capacity) : state_(std::make_unique<State>(size, capacity)) {
  QYLON_CHECK(size > 0 && capacity >= 8);
}
VoicePoints::~VoicePoints() = default;

std::int64_t VoicePoints::add(std::span<const float> vector, float weight, int voice) {
  State& state = *state_;
  QYLON_CHECK(static_cast<Eigen::Index>(vector.size()) == state.sums.rows());
  if (state.count == state.capacity) condense();
  const int point = state.count++;
  state.sums.col(point) =
      weight * Eigen::Map<const Eigen::VectorXf>(vector.data(), state.sums.rows());
  state.weights[static_cast<std::size_t>(point)] = weight;
  state.voices[static_cast<std::size_t>(point)] = voice;
  const std::int64_t evidence = state.next_evidence++;
  state.point_of[static_cast<std::size_t>(evidence % kEvidenceKept)] = point;
  return evidence;
}

int VoicePoints::voice_of(std::int64_t evidence) const noexcept {
  const std::ptrdiff_t slot = state_->slot(evidence);
  if (slot < 0) return -1;
  return state_->voices[static_cast<std::size_t>(state_->point_of[static_cast<std::size_t>(slot)])];
}

void VoicePoints::set_voice(std::int64_t evidence, int voice) noexcept {
  const std::ptrdiff_t slot = state_->slot(evidence);
  if (slot < 0) return;
  const int point = state_->point_of[static_cast<std::size_t>(slot)];
  state_->voices[static_cast<std::size_t>(point)] = voice;
}

int VoicePoints::count() const noexcept {
  return state_->count;
}
std::span<const float> VoicePoints::weights() const noexcept {
  return {state_->weights.data(), static_cast<std::size_t>(state_->count)};
}
std::span<int> VoicePoints::voices() noexcept {
  return {state_->voices.data(), static_cast<std::size_t>(state_->count)};
}

std::span<const float> VoicePoints::unit_vectors() {
  State& state = *state_;
  for (Eigen::Index i = 0; i < state.count; ++i) {
    state.units.col(i) = state.sums.col(i) / std::max(state.sums.col(i).norm(), 1e-12F);
  }
  return {state.units.data(), static_cast<std::size_t>(state.units.rows() * state.count)};
}

float VoicePoints::sum_of(int voice, std::span<float> sum) const noexcept {
  const State& state = *state_;
  Eigen::Map<Eigen::VectorXf> out(sum.data(), static_cast<Eigen::Index>(sum.size()));
  float weight = 0;
  for (int i = 0; i < state.count; ++i) {
    if (state.voices[static_cast<std::size_t>(i)] != voice) continue;
    out += state.sums.col(i);
    weight += state.weights[static_cast<std::size_t>(i)];
  }
  return weight;
}

namespace {

struct Pair {
  int kept;
  int removed;
  float score;
};

/// Pairs of points of the same voice, best to join first: similar and light. Heavy points would
/// leave the unusual windows to stand alone, and a voice would look like many.
std::vector<Pair> similar_pairs(const Eigen::Ref<const Eigen::MatrixXf>& units,
                                std::span<const int> voices,
                                std::span<const float> weights) {
  constexpr float kPerWeight = 0.2F;  // Cosine that one more window in a pair has to be worth.
  const Eigen::MatrixXf cosines = units.transpose() * units;
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < voices.size(); ++i) {
    for (std::size_t j = i + 1; j < voices.size(); ++j) {
      if (voices[i] != voices[j]) continue;
      const float cosine = cosines(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
      pairs.push_back({static_cast<int>(i),
                       static_cast<int>(j),
                       cosine - kPerWeight * (weights[i] + weights[j])});
    }
  }
  std::sort(
      pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.score > b.score; });
  return pairs;
}

}  // namespace

/// Joins pairs until a third of the points is gone, each point in one pair at most, so that room
/// has to be made only every hundred windows or so.
void VoicePoints::condense() {
  State& state = *state_;
  unit_vectors();
  const std::vector<Pair> pairs =
      similar_pairs(state.units.leftCols(state.count), voices(), weights());
  std::vector<int> joined_to(static_cast<std::size_t>(state.count), -1);
  std::vector<bool> used(static_cast<std::size_t>(state.count));
  int wanted = state.count / 3;
  for (const Pair& pair : pairs) {
    if (wanted == 0) break;
    const auto kept = static_cast<std::size_t>(pair.kept);
    const auto removed = static_cast<std::size_t>(pair.removed);
    if (used[kept] || used[removed]) continue;
    used[kept] = used[removed] = true;
    state.sums.col(pair.kept) += state.sums.col(pair.removed);
    state.weights[kept] += state.weights[removed];
    joined_to[removed] = pair.kept;
    --wanted;
  }
  // At most one point per voice can be left without a partner, and there are fewer voices than
  // points; but a meeting where every window is another voice must not stop either.
  if (std::all_of(joined_to.begin(), joined_to.end(), [](int to) { return to < 0; })) {
    joined_to.back() = 0;
  }
  close_gaps(joined_to);
}

void VoicePoints::close_gaps(std::span<const int> joined_to) {
  State& state = *state_;
  std::vector<int> moved(joined_to.size());
  int next = 0;
  for (std::size_t i = 0; i < joined_to.size(); ++i) {
    if (joined_to[i] >= 0) continue;
    moved[i] = next;
    state.sums.col(next) = state.sums.col(static_cast<Eigen::Index>(i));
    state.weights[static_cast<std::size_t>(next)] = state.weights[i];
    state.voices[static_cast<std::size_t>(next)] = state.voices[i];
    ++next;
  }
  for (std::size_t i = 0; i < joined_to.size(); ++i) {
    if (joined_to[i] >= 0) moved[i] = moved[static_cast<std::size_t>(joined_to[i])];
  }
  for (int& point : state.point_of) {
    if (point >= 0) point = moved[static_cast<std::size_t>(point)];
  }
  state.count = next;
}

}  // namespace qylon::diarization

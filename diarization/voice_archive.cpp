#include "diarization/voice_archive.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/check.hpp"
#include "diarization/group_numbers.hpp"
#include "diarization/spectral_clustering.hpp"

namespace qylon::diarization {
namespace {

constexpr std::size_t kPointsMax = 640;  // Clustered at once: a quarter of a second's work.
constexpr std::size_t kSpectralPoints = 30;
constexpr std::array<std::size_t, 3> kRunSlots{2, 4, 8};  // 1, 2 and 4 s.
constexpr int kRounds = 8;
constexpr float kLightestVoice = 4.0F;  // Full windows; who said less was nobody.

void scale_to_unit(std::span<float> vector) {
  const float norm =
      std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0F));
  for (float& value : vector)
    value /= std::max(norm, 1e-12F);
}

}  // namespace

VoiceArchive::VoiceArchive(int size) : size_(static_cast<std::size_t>(size)) {
  QYLON_CHECK(size > 0);
}

void VoiceArchive::store(std::size_t slot, std::span<const float> vector, float weight) {
  float largest = 1e-12F;
  for (const float value : vector)
    largest = std::max(largest, std::abs(value));
  slots_[slot] = {weight, largest / 127.0F};
  for (std::size_t i = 0; i < size_; ++i) {
    components_[slot * size_ + i] =
        static_cast<std::int8_t>(std::lround(vector[i] / slots_[slot].scale));
  }
}

void VoiceArchive::add_to(std::size_t slot, std::span<float> sum) const {
  const float factor = slots_[slot].weight * slots_[slot].scale;
  for (std::size_t i = 0; i < size_; ++i)
    sum[i] += factor * static_cast<float>(components_[slot * size_ + i]);
}

void VoiceArchive::add(std::span<const float> unit_vector, float weight) {
  QYLON_CHECK(unit_vector.size() == size_);
  auto slot = static_cast<std::size_t>(count_ >> shift_);
  if (slot == kSlotsMax) {
    halve();
    slot = static_cast<std::size_t>(count_ >> shift_);
  }
  ++count_;
  if (slot == slots_.size()) {
    slots_.emplace_back();
    components_.resize(slots_.size() * size_);
    store(slot, unit_vector, weight);
    return;
  }
  std::vector<float> sum(size_);
  add_to(slot, sum);
  for (std::size_t i = 0; i < size_; ++i)
    sum[i] += weight * unit_vector[i];
  const float together = slots_[slot].weight + weight;
  scale_to_unit(sum);
  store(slot, sum, together);
}

void VoiceArchive::halve() {
  std::vector<float> sum(size_);
  for (std::size_t pair = 0; pair < kSlotsMax / 2; ++pair) {
    std::fill(sum.begin(), sum.end(), 0.0F);
    add_to(2 * pair, sum);
    add_to(2 * pair + 1, sum);
    const float weight = slots_[2 * pair].weight + slots_[2 * pair + 1].weight;
    scale_to_unit(sum);
    store(pair, sum, weight);
  }
  slots_.resize(kSlotsMax / 2);
  components_.resize(slots_.size() * size_);
  ++shift_;
}

/// Clusters neighbouring slots of one voice together; empty when there are too few.
std::vector<int> VoiceArchive::spectral(std::span<const int> voice_of_slot,
                                        std::size_t run_slots) const {
  std::vector<int> run_of(slots_.size());
  std::vector<float> units;
  std::size_t length = 0;
  int runs = 0;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (slot == 0 || length == run_slots || voice_of_slot[slot] != voice_of_slot[slot - 1]) {
      ++runs;
      units.resize(units.size() + size_);
      length = 0;
    }
    ++length;
    run_of[slot] = runs - 1;
    add_to(slot, std::span(units).last(size_));
  }
  const auto count = static_cast<std::size_t>(runs);
  if (count < kSpectralPoints) return {};
  if (count > kPointsMax) {
    // Voices that take turns at every window do not get longer runs: nothing to be agreed on.
    return 2 * run_slots > slots_.size() ? std::vector<int>()
                                         : spectral(voice_of_slot, 2 * run_slots);
  }
  for (std::size_t run = 0; run < count; ++run)
    scale_to_unit(std::span(units).subspan(run * size_, size_));
  const std::vector<int> group_of =
      spectral_clusters(units, static_cast<int>(size_), SpectralOptions{});
  for (int& run : run_of)
    run = group_of[static_cast<std::size_t>(run)];
  return run_of;
}

/// The finest of the clusterings when all find the same number of groups.
std::optional<std::vector<int>> VoiceArchive::agreed_groups(
    std::span<const int> voice_of_slot) const {
  std::optional<std::vector<int>> finest;
  for (const std::size_t run_slots : kRunSlots) {
    std::vector<int> group_of = spectral(voice_of_slot, run_slots);
    if (group_of.empty()) return std::nullopt;
    const int groups = *std::max_element(group_of.begin(), group_of.end());
    if (finest && groups != *std::max_element(finest->begin(), finest->end())) return std::nullopt;
    if (!finest) finest = std::move(group_of);
  }
  return finest;
}

/// [groups, size] unit vectors; zero for a group without enough speech.
std::vector<float> VoiceArchive::centroids(std::span<const int> group_of, int groups) const {
  std::vector<float> sums(static_cast<std::size_t>(groups) * size_);
  std::vector<float> weights(static_cast<std::size_t>(groups));
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    if (group_of[slot] < 0) continue;
    const auto group = static_cast<std::size_t>(group_of[slot]);
    add_to(slot, std::span(sums).subspan(group * size_, size_));
    weights[group] += slots_[slot].weight;
  }
  const float enough = std::min(kLightestVoice, *std::max_element(weights.begin(), weights.end()));
  for (std::size_t group = 0; group < weights.size(); ++group) {
    const std::span<float> sum = std::span(sums).subspan(group * size_, size_);
    if (weights[group] < enough) std::fill(sum.begin(), sum.end(), 0.0F);
    scale_to_unit(sum);
  }
  return sums;
}

bool VoiceArchive::reassign(std::span<const float> centroids, std::vector<int>& group_of) const {
  bool changed = false;
  std::vector<float> vector(size_);
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    std::fill(vector.begin(), vector.end(), 0.0F);
    add_to(slot, vector);
    int nearest = -1;
    float best = 0;
    for (std::size_t group = 0; group * size_ < centroids.size(); ++group) {
      const float product =
          std::inner_product(vector.begin(),
                             vector.end(),
                             centroids.begin() + static_cast<std::ptrdiff_t>(group * size_),
                             0.0F);
      if (nearest >= 0 && product <= best) continue;
      nearest = static_cast<int>(group);
      best = product;
    }
    changed = changed || nearest != group_of[slot];
    group_of[slot] = nearest;
  }
  return changed;
}

std::vector<int> VoiceArchive::group(std::span<const int> voices) const {
  QYLON_CHECK(static_cast<std::int64_t>(voices.size()) == count_);
  if (slots_.empty()) return {};
  std::vector<int> group_of(slots_.size());
  for (std::size_t slot = 0; slot < slots_.size(); ++slot)
    group_of[slot] = voices[slot << shift_];
  if (auto agreed = agreed_groups(group_of)) group_of = *std::move(agreed);
  const int groups = 1 + std::max(0, *std::max_element(group_of.begin(), group_of.end()));
  if (std::all_of(group_of.begin(), group_of.end(), [](int group) { return group < 0; })) {
    std::fill(group_of.begin(), group_of.end(), 0);
  }
  for (int round = 0; round < kRounds; ++round) {
    if (!reassign(centroids(group_of, groups), group_of)) break;
  }
  group_of = renumbered(std::move(group_of));
  std::vector<int> out(voices.size());
  for (std::size_t window = 0; window < out.size(); ++window)
    out[window] = group_of[window >> shift_];
  return out;
}

}  // namespace qylon::diarization

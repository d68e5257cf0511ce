#include "diarization/voice_partition.hpp"

#include <algorithm>
#include <limits>

#include "core/check.hpp"
#include "diarization/group_numbers.hpp"
#include "dsp/kernels.hpp"

namespace qylon::diarization {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

/// Groups that are left, their products with each other, and each one's best partner.
class Joining {
 public:
  Joining(const VoiceStretches& stretches, const VoiceLikelihood& likelihood)
      : count_(stretches.counts.size()),
        likelihood_(likelihood),
        counts_(stretches.counts.begin(), stretches.counts.end()),
        products_(count_ * count_),
        evidence_(count_),
        partner_(count_),
        gain_(count_, kNever),
        group_of_(count_),
        left_(count_, true) {
    const dsp::Kernels& kernels = dsp::kernels();
    for (std::size_t i = 0; i < count_; ++i) {
      group_of_[i] = static_cast<int>(i);
      for (std::size_t j = 0; j <= i; ++j) {
        const float* const sums = stretches.sums.data();
        product(i, j) = product(j, i) =
            kernels.dot(sums + i * stretches.size, sums + j * stretches.size, stretches.size);
      }
      evidence_[i] = likelihood_.evidence(counts_[i], product(i, i));
    }
    for (std::size_t i = 0; i < count_; ++i)
      find_partner(i);
  }

  /// Group with the most to gain from its partner.
  std::size_t best() const {
    return static_cast<std::size_t>(std::max_element(gain_.begin(), gain_.end()) - gain_.begin());
  }
  float gain(std::size_t group) const { return gain_[group]; }

  void join(std::size_t kept) {
    const std::size_t gone = partner_[kept];
    left_[gone] = false;
    gain_[gone] = kNever;
    std::replace(
        group_of_.begin(), group_of_.end(), static_cast<int>(gone), static_cast<int>(kept));
    product(kept, kept) += product(gone, gone) + 2 * product(kept, gone);
    counts_[kept] += counts_[gone];
    evidence_[kept] = likelihood_.evidence(counts_[kept], product(kept, kept));
    for (std::size_t other = 0; other < count_; ++other) {
      if (other == kept || !left_[other]) continue;
      product(kept, other) += product(gone, other);
      product(other, kept) = product(kept, other);
    }
    find_partner(kept);
    for (std::size_t other = 0; other < count_; ++other) {
      if (other == kept || !left_[other]) continue;
      if (partner_[other] == kept || partner_[other] == gone) {
        find_partner(other);
      } else {
        offer(other, kept);
      }
    }
  }

  std::vector<int> groups() && { return std::move(group_of_); }

 private:
  float& product(std::size_t i, std::size_t j) { return products_[i * count_ + j]; }

  void offer(std::size_t group, std::size_t partner) {
    const float square =
        product(group, group) + product(partner, partner) + 2 * product(group, partner);
    const float gain = likelihood_.evidence(counts_[group] + counts_[partner], square) -
                       evidence_[group] - evidence_[partner];
    if (gain <= gain_[group]) return;
    gain_[group] = gain;
    partner_[group] = partner;
  }

  void find_partner(std::size_t group) {
    gain_[group] = kNever;
    for (std::size_t other = 0; other < count_; ++other) {
      if (other != group && left_[other]) offer(group, other);
    }
  }

  std::size_t count_;
  const VoiceLikelihood& likelihood_;
  std::vector<float> counts_;
  std::vector<float> products_;  // [count, count]
  std::vector<float> evidence_;
  std::vector<std::size_t> partner_;
  std::vector<float> gain_;  // Log odds that group and partner are one voice.
  std::vector<int> group_of_;
  std::vector<bool> left_;
};

}  // namespace

std::vector<int> voice_partition(const VoiceStretches& stretches,
                                 const VoiceLikelihood& likelihood,
                                 int groups_max) {
  QYLON_CHECK(stretches.sums.size() == stretches.counts.size() * stretches.size);
  QYLON_CHECK(groups_max >= 1);
  if (stretches.counts.empty()) return {};
  Joining joining(stretches, likelihood);
  auto groups = stretches.counts.size();
  while (groups > 1) {
    const std::size_t best = joining.best();
    if (joining.gain(best) <= 0 && groups <= static_cast<std::size_t>(groups_max)) break;
    joining.join(best);
    --groups;
  }
  return renumbered(std::move(joining).groups());
}

}  // namespace qylon::diarization

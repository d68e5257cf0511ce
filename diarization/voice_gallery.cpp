#include "diarization/voice_gallery.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dsp/kernels.hpp"

namespace qylon::diarization {

VoiceGallery::VoiceGallery(const EmbeddingModel& model, std::vector<Person> people)
    : likelihood_(model.calibration()),
      square_of_mean_(model.calibration().voice_share),
      people_(std::move(people)) {
  std::erase_if(people_, [&](const Person& person) {
    return person.centroid.size() != static_cast<std::size_t>(model.size());
  });
  if (people_.size() > kPeopleMax) people_.resize(kPeopleMax);
}

float VoiceGallery::log_odds(const Person& person,
                             std::span<const float> centroid,
                             float weight) const {
  const float cosine =
      dsp::kernels().dot(person.centroid.data(), centroid.data(), person.centroid.size());
  const float a = std::min(person.weight, kWindowsMax);
  const float b = std::min(weight, kWindowsMax);
  const float both = square_of_mean_ * (a * a + b * b + 2 * a * b * cosine);
  const float odds = likelihood_.evidence(a + b, both) -
                     likelihood_.evidence(a, square_of_mean_ * a * a) -
                     likelihood_.evidence(b, square_of_mean_ * b * b);
  return kShare * odds + kOffset;
}

std::optional<VoiceGallery::Found> VoiceGallery::recognise(std::span<const float> centroid,
                                                           float weight) const {
  if (people_.empty() || weight < kWindowsMin) return std::nullopt;
  if (centroid.size() != people_.front().centroid.size()) return std::nullopt;
  std::vector<float> odds;
  for (const Person& person : people_)
    odds.push_back(log_odds(person, centroid, weight));
  const auto best = std::max_element(odds.begin(), odds.end());
  // Nobody has odds of 1 and as much prior as everybody together.
  const float most = std::max(*best, 0.0F);
  float total = static_cast<float>(people_.size()) * std::exp(-most);
  for (const float of_one : odds)
    total += std::exp(of_one - most);
  return Found{static_cast<std::size_t>(best - odds.begin()), std::exp(*best - most) / total};
}

}  // namespace qylon::diarization

#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diarization/embedding_model.hpp"

namespace qylon::diarization {

/// People whose voices are known from elsewhere, to be recognised among others (an open set).
///
/// A voice is somebody's by the odds that both are one voice, against everybody else in the gallery
/// and against nobody in it, which is as likely beforehand as all of them together. The odds are
/// VoiceLikelihood's, which knows one room and one microphone, calibrated for two: of either voice
/// kWindowsMax count at most, and of the log odds kShare, for what differs from room to room does
/// not average out within one.
///
/// Fitted : by logistic regression on 184 training speakers, 6 s each in two simulated rooms with
///          noise of 12-30 dB and, of three in ten, a telephone's band (Brummer & du Preez,
///          "Application-independent evaluation of speaker detection", 2006).
///
/// Cost    : recognise() one dot product a person, 0.1 us each; memory 4 * size bytes each.
/// Threads : any.
class VoiceGallery {
 public:
  static constexpr std::size_t kPeopleMax = 1000;
  static constexpr float kWindowsMax = 12;
  static constexpr float kShare = 0.235F;
  static constexpr float kOffset = -0.57F;
  /// Fewer windows tell nothing reliable: about 4 s of speech.
  static constexpr float kWindowsMin = 6;
  /// A name that is less probable is withheld.
  static constexpr float kProbabilityMin = 0.9F;

  struct Person {
    std::string name;
    std::vector<float> centroid;  ///< L2 norm 1.
    float weight = 0;             ///< Windows it is the mean of.
  };
  struct Found {
    std::size_t person = 0;
    float probability = 0;  ///< That it is this person, [0, 1].
  };

  /// People whose centroids are not of the model's size, and those beyond kPeopleMax, are left out.
  VoiceGallery(const EmbeddingModel& model, std::vector<Person> people);

  const std::vector<Person>& people() const noexcept { return people_; }
  /// Who it most likely is, however unlikely; nothing for an empty gallery or too little speech.
  std::optional<Found> recognise(std::span<const float> centroid, float weight) const;
  /// Log odds that the voice is this person's rather than another one's.
  float log_odds(const Person& person, std::span<const float> centroid, float weight) const;

 private:
  VoiceLikelihood likelihood_;
  float square_of_mean_;  // Of the mean of many windows of one voice.
  std::vector<Person> people_;
};

}  // namespace qylon::diarization

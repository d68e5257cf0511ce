#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "diarization/voice_history.hpp"
#include "diarization/voice_likelihood.hpp"

namespace qylon::diarization {

/// The voices of a meeting as sums of their windows, without what all voices of it have in common:
/// the mean of the meeting, drawn towards that of the training speakers by so many voices of it.
///
/// Memory  : 2 * voices * size * 4 bytes.
/// Threads : one at a time.
class VoiceSet {
 public:
  struct Voice {
    int number = 0;
    float count = 0;         ///< Windows.
    std::vector<float> sum;  ///< Of their vectors without the meeting's mean.
    float square = 0;        ///< Of the sum.
    float evidence = 0;
    float forgotten_count = 0;
    std::vector<float> forgotten;  ///< Sum of the vectors that the history has no more.
  };

  /// A window without the meeting's mean; valid until the next one is made.
  struct Centred {
    std::span<const float> vector;
    float square = 0;
    float count = 1;
  };

  VoiceSet(std::size_t size, const VoiceLikelihood::Options& options);

  const VoiceLikelihood& likelihood() const noexcept { return likelihood_; }
  std::span<const Voice> voices() const noexcept { return voices_; }
  std::span<const float> mean() const noexcept { return mean_; }
  /// Index of the voice with that number; -1 when there is none.
  int index_of(int number) const noexcept;

  Centred centred(std::span<const float> vector, float count) const;
  /// Log odds that the window is of the voice rather than of none that was ever heard.
  float gain(const Voice& voice, const Centred& window) const noexcept;
  /// The same for a window that the voice already has.
  float gain_of_own(const Voice& voice, const Centred& window) const noexcept;
  float evidence_alone(const Centred& window) const noexcept;

  void found(int number);
  void add(int index, const Centred& window);
  /// The history is about to forget a window of the voice.
  void forget(int number, std::span<const float> vector, float count);

  /// Makes the voices of the history's windows anew; what is forgotten of voice i belongs to
  /// number_of[i] now.
  void collect(const VoiceHistory& history, std::span<const int> number_of);

 private:
  Voice& numbered(int number);
  void centre();

  std::size_t size_;
  VoiceLikelihood likelihood_;
  std::vector<Voice> voices_;
  std::vector<float> mean_;
  mutable std::vector<float> scratch_;
};

}  // namespace qylon::diarization

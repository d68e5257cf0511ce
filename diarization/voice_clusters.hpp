#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "diarization/embedding_model.hpp"

namespace qylon::diarization {

/// Who is who in one meeting: shared by its mixed tracks, so that a voice has one number in all.
///
/// Each window of speech becomes evidence; evidence belongs to a voice, and which one can be
/// revised when more has been heard. Voices are numbered from 0 in the order of appearance and a
/// number is never given to another voice.
///
/// Threads : one, the meeting's shard.
/// Memory  : bounded: evidence is condensed into at most points_max points.
class VoiceClusters {
 public:
  struct Options {
    int voices_max = 24;        ///< When reached, the nearest voice is taken.
    int points_max = 300;       ///< Condensed evidence kept per meeting.
    float refresh_s = 5.0F;     ///< Speech between two re-clusterings.
    float stay = 0.85F;         ///< Chance that the next window has the same voice.
    int new_voice_windows = 2;  ///< Consecutive windows that make a new voice.
  };

  /// What is known about one window of speech.
  struct Assignment {
    int voice = -1;              ///< Its voice now; -1 withheld.
    float confidence = 0;        ///< Posterior probability of that voice.
    std::int64_t evidence = -1;  ///< Ask voice_of() with it later; -1 when nothing was kept.
  };

  explicit VoiceClusters(std::shared_ptr<const EmbeddingModel> model);
  VoiceClusters(std::shared_ptr<const EmbeddingModel> model, const Options& options);
  ~VoiceClusters();
  VoiceClusters(const VoiceClusters&) = delete;
  VoiceClusters& operator=(const VoiceClusters&) = delete;

  /// Voices that have been heard and not merged into another.
  int voice_count() const noexcept;

 private:
  friend class VoiceTracker;
  struct State;  // Hides Eigen.
  std::unique_ptr<State> state_;
};

}  // namespace qylon::diarization

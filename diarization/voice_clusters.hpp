#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "diarization/embedding_model.hpp"

namespace qylon::diarization {

/// Who is who in one meeting: shared by its mixed tracks, so that a voice has one number in all.
///
/// Each window of speech becomes evidence; evidence belongs to a voice, and which one can be
/// revised when more has been heard. Live, a forward filter over the voices decides, with the
/// chance that the speaker stays and the chance that the voice is new. Every window at first, every
/// few seconds later, the stretches of the last minutes are partitioned anew into voices, changes
/// of voice inside them are looked for again, and the groups take over the numbers they have most
/// of. Voices are numbered from 0 in the order of appearance; a number is never given to another.
///
/// Cost    : 0.02 ms a window; a refresh takes up to 4 ms with 512 windows.
/// Memory  : bounded, about 0.6 MB a meeting: windows_kept windows and scratch memory; and the
///           VoiceArchive for finish(), which grows to 2 MB.
/// Threads : one, the meeting's shard.
/// Source  : Rabiner, "A tutorial on hidden Markov models", 1989, section III (forward filter,
///           Viterbi); VoiceLikelihood and voice_partition().
class VoiceClusters {
 public:
  struct Options {
    int voices_max = 24;     ///< At once; when reached, the nearest voice is taken.
    int windows_kept = 512;  ///< That can still be told apart anew: 4 minutes of speech.
    float stay = 0.85F;      ///< Chance that the next window has the same voice, if adjacent.
    float stay_s = 3.0F;     ///< Time in which a pause makes that chance fall to 1/e.
    float new_voice = 0.1F;  ///< Chance that a change of voice is to a new one.
  };

  /// What one track remembers from window to window.
  struct Follower {
    struct Belief {
      int voice = -1;
      float probability = 0;
    };
    int track = -1;               ///< Given with the first window.
    std::vector<Belief> beliefs;  ///< Of the known voices.
    float new_voice = 0;          ///< Probability of none of them.
    int pending = 0;              ///< Windows in a row that may be a new voice.
    std::int64_t last_evidence = -1;
    std::int64_t revision = 0;  ///< The refresh that the beliefs are about.
  };

  struct Observation {
    std::span<const float> embedding;  ///< Of the model's size, L2 norm 1.
    float window_s = 1.5F;             ///< Speech it was made of.
    float gap_s = 0.0F;                ///< Pause since the track's last window.
  };

  struct Assignment {
    int voice = -1;              ///< Its voice now; -1 withheld: it may be a new one.
    float confidence = 0;        ///< Posterior probability of that voice.
    std::int64_t evidence = -1;  ///< Ask voice_of() with it later; -1 when it was only judged.
  };

  explicit VoiceClusters(std::shared_ptr<const EmbeddingModel> model);
  VoiceClusters(std::shared_ptr<const EmbeddingModel> model, const Options& options);
  ~VoiceClusters();
  VoiceClusters(const VoiceClusters&) = delete;
  VoiceClusters& operator=(const VoiceClusters&) = delete;

  /// A voice as it is known: what is kept of it beyond the meeting's time in memory.
  struct Profile {
    int voice = -1;
    std::vector<float> centroid;  ///< L2 norm 1.
    float weight = 0;             ///< Full windows it is the mean of.
  };
  std::vector<Profile> profiles() const;
  /// Adds a voice of an earlier time, which gets the next number. False, and nothing is added, when
  /// the centroid is not of this model's size. REQUIRES: nothing has been observed.
  bool add_known(std::span<const float> centroid, float weight);

  /// Takes a window of a track as evidence.
  Assignment observe(Follower& follower, const Observation& observation);

  /// The track's speech pauses: windows that wait for more of a new voice become one now. Returns
  /// its number, or -1 when none waited.
  int settle(Follower& follower);

  /// Whose voice it most likely is, without keeping it.
  Assignment judge(const Follower& follower, const Observation& observation) const;

  /// The meeting is over: groups all its windows once more, each with equal right, however long
  /// ago. voice_of() then answers for all of them; nothing is observed any more.
  void finish();

  /// The voice that a window belongs to now; -1 withheld, or half an hour of speech ago.
  int voice_of(std::int64_t evidence) const noexcept;

  /// Voices that are told apart now.
  int voice_count() const noexcept;

  const EmbeddingModel& model() const noexcept;
  /// The model of this meeting, with scratch memory that its tracks share.
  Embedder& embedder() noexcept;
  int embedding_size() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qylon::diarization

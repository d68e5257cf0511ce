#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "diarization/voice_clusters.hpp"

namespace qylon::diarization {

/// Samples of one block: 10 ms at 16 kHz.
inline constexpr int kBlockSamples = 160;

/// Whose voice fills a stretch of a track.
struct VoiceLabel {
  std::int64_t start_sample = 0;
  std::int64_t end_sample = 0;
  int voice = -1;        ///< Index in the meeting's VoiceClusters; -1: withheld, nobody is sure.
  float confidence = 0;  ///< Posterior probability of the voice, 0..1.
  std::int64_t evidence = -1;  ///< VoiceClusters::voice_of() says whose it is now; -1: of several.
};

/// Follows the voices of one mixed track: 10 ms blocks in, labels out.
///
/// Input   : 16 kHz mono float32, full scale +-1, in blocks of 10 ms, with the decision of voice
///           activity detection. A jump in start_sample is a gap: it ends the current stretch.
/// Output  : one label per hop (0.5 s) of speech from windows of 1.5 s, and one for what is left
///           when the speech pauses for 0.3 s.
/// Memory  : fixed at construction: 8 s of features, 60 s of window results.
/// Threads : one, the meeting's shard; nothing in push() allocates.
class VoiceTracker {
 public:
  /// `clusters` must outlive the tracker.
  explicit VoiceTracker(VoiceClusters& clusters);
  ~VoiceTracker();
  VoiceTracker(const VoiceTracker&) = delete;
  VoiceTracker& operator=(const VoiceTracker&) = delete;

  /// Appends 160 samples starting at start_sample; returns a label whenever a hop is done. The
  /// label lies in the past: it begins 1 s ago, or with the stretch of speech.
  std::optional<VoiceLabel> push(std::int64_t start_sample,
                                 std::span<const float, kBlockSamples> samples,
                                 bool speech);

  /// Best single label for the speech in [start, end) from everything heard so far; called when an
  /// utterance ends, also when it is shorter than a window. Later calls may answer better.
  VoiceLabel label(std::int64_t start_sample, std::int64_t end_sample);

  /// Sample at which the voice most likely changed inside [start, end), if it did with confidence:
  /// where to cut an utterance at a change of speaker without a pause.
  std::optional<std::int64_t> change_point(std::int64_t start_sample, std::int64_t end_sample);

 private:
  struct State;  // Hides the front end and Eigen.
  std::unique_ptr<State> state_;
};

}  // namespace qylon::diarization

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "core/transcript.hpp"
#include "diarization/voice_clusters.hpp"

namespace qylon::media {

/// Part of a caption that one window of a track stands for.
struct VoiceWindow {
  std::int64_t evidence = -1;  ///< Of diarization::VoiceClusters.
  std::int64_t samples = 0;
};

/// Notices when the voices on tracks of one person each are not what the tracks say: a second
/// person on one of them, or two tracks whose people are exchanged. Nothing is relabelled for an
/// exchange.
///
/// Guest   : a voice with kGuestSamples of a track that is not another track's person, is not heard
///           more on one, and whose odds to be this track's person, as VoiceGallery has them, are
///           below kSameOddsMax.
/// Swapped : each of two tracks has the other's person for kRecentShare of its newest
///           kRecentSamples.
/// Cost    : look() counts every window once, 0.2 us each.
/// Memory  : the windows of the last kCaptionsMax captions of such tracks.
/// Threads : one at a time, the meeting's shard.
class TrackVoices {
 public:
  static constexpr std::size_t kCaptionsMax = 1024;
  static constexpr std::int64_t kGuestSamples = 8 * 16'000;
  static constexpr std::int64_t kRecentSamples = 20 * 16'000;
  static constexpr float kRecentShare = 0.8F;
  static constexpr float kSameOddsMax = -2.0F;  ///< Natural logarithm.

  explicit TrackVoices(const diarization::VoiceClusters& voices) : voices_(voices) {}

  /// A final on the track of one person.
  void note(TrackId track, std::vector<VoiceWindow> windows);
  /// Looks at all of it again.
  void look();

  /// The voice is a second person's on that track.
  bool is_guest(TrackId track, int voice) const;
  bool is_shared(TrackId track) const;
  /// Counts from 1. REQUIRES: is_guest().
  int guest_number(TrackId track, int voice) const;
  /// Tracks with a second person, and pairs of tracks that are exchanged.
  const std::vector<VoiceHint>& hints() const noexcept { return hints_; }

 private:
  struct Said {
    TrackId track = 0;
    std::vector<VoiceWindow> windows;
  };
  struct Heard {
    int person = -1;                      // Whose track it is, by the voice with most of it.
    std::map<int, std::int64_t> samples;  // Of each voice.
    std::map<int, std::int64_t> recent;   // Of the last kRecentSamples.
    std::set<int> guests;
  };

  void count();
  void find_guests(Heard& heard);
  bool is_others(int voice, std::int64_t samples) const;
  bool differ(int one, int other) const;
  static int mostly(const Heard& heard);
  void make_hints();

  const diarization::VoiceClusters& voices_;
  std::deque<Said> said_;
  std::map<TrackId, Heard> tracks_;
  std::vector<VoiceHint> hints_;
};

}  // namespace qylon::media

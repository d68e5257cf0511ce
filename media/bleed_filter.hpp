#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/counters.hpp"
#include "media/captioner.hpp"

namespace qylon::media {

/// Captions one voice once when several microphones of a meeting hear it: words that another track
/// says louder at the same time are taken out of a track's captions.
///
/// Evidence: the sound around a word (kAroundMs) is found on the other track within kLagMs, there
///           it is louder, and the word itself does not stand out of it, as one's own word between
///           another's would. Of tracks that are equally loud, the one whose final comes first has
///           it.
/// Finals  : one that repeats another track waits until that track's utterance is recognised, so
///           that nothing is lost when it has no words. kHeldMax wait; more means that the oldest
///           is published as it is, and counted.
/// Cost    : 60 us a word for each other track that speaks at that time.
/// Threads : one at a time, the meeting's shard.
class BleedFilter final : public CaptionHost {
 public:
  static constexpr std::size_t kHeldMax = 64;
  static constexpr std::size_t kSaidMax = 1024;
  static constexpr std::int64_t kAroundMs = 1600;
  static constexpr std::int64_t kLagMs = 300;
  /// From 190 training speakers, bleeding by -6..-18 dB through rooms of 0.15..0.6 s and noise: 93
  /// % of the bleeding words are found one by one, of speech against it nothing is lost, of lone
  /// words of 0.4 s inside it 1.4 %.
  static constexpr float kLikenessMin = 0.6F;
  static constexpr float kOwnWordDb = 3.0F;
  /// Enough between words that were found.
  static constexpr float kLikenessBesideMin = 0.45F;
  /// Tracks that differ by less are equally loud, and then must be the more alike.
  static constexpr float kEqualDb = 2.0F;
  static constexpr float kLikenessEqualMin = 0.85F;

  struct Counts {
    Counter& words;     ///< Taken out, for another track says them.
    Counter& overflow;  ///< Finals published as they are, for too many waited.
  };
  /// What is left goes to `host`, which must outlive the filter.
  BleedFilter(CaptionHost& host, const Counts& counts) : host_(host), counts_(counts) {}

  /// A track whose captions come here. It must outlive the filter's use of it.
  void add(TrackId track, const Captioner& captioner) { tracks_[track] = &captioner; }

  std::uint64_t next_segment() override { return host_.next_segment(); }
  Speaker speaker_of(const diarization::VoiceLabel& label) override {
    return host_.speaker_of(label);
  }
  Speaker speaker_on(TrackId track,
                     const Speaker& person,
                     const diarization::VoiceLabel& label) override {
    return host_.speaker_on(track, person, label);
  }
  bool is_shared(TrackId track) const override { return host_.is_shared(track); }
  void on_interim(Caption&& caption) override;
  void on_final(Caption&& caption, std::vector<VoiceWindow>&& windows) override;

  /// Hands on what need not wait any more.
  void tick();
  /// The meeting ends: nothing more is waited for.
  void release_all();
  bool empty() const noexcept { return held_.empty(); }

 private:
  struct Said {
    TrackId track = 0;
    std::int64_t start_ms = 0;
    std::int64_t end_ms = 0;
  };
  struct Held {
    Caption caption;
    std::vector<VoiceWindow> windows;
    std::vector<std::set<TrackId>> louder;  // For each word, the tracks that say it louder.
  };

  std::set<TrackId> louder_tracks(TrackId track, const Word& word) const;
  bool is_bleed_of(const Captioner& own,
                   const Captioner& other,
                   const Word& word,
                   float likeness_min) const;
  std::vector<std::set<TrackId>> louder_tracks(const Caption& caption) const;
  bool speaks(TrackId track, const Word& word) const;
  bool has_said(TrackId track, const Word& word) const;
  bool must_wait(const Held& held) const;
  void note_said(const Held& held);
  void release(Held&& held);

  CaptionHost& host_;
  const Counts counts_;
  std::map<TrackId, const Captioner*> tracks_;
  std::deque<Said> said_;          // Newest kSaidMax words that are a track's own.
  std::deque<Held> held_;          // At most kHeldMax.
  std::set<std::uint64_t> shown_;  // Segments with an interim and without their final.
};

}  // namespace qylon::media

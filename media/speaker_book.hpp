#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/transcript.hpp"
#include "diarization/voice_clusters.hpp"
#include "diarization/voice_gallery.hpp"
#include "diarization/voice_tracker.hpp"
#include "media/track_voices.hpp"

namespace qylon::media {

/// A voice as it is stored, so that it keeps its key when the meeting opens again.
struct StoredVoice {
  std::string key;
  std::vector<float> centroid;  ///< L2 norm 1.
  float weight = 0;             ///< Windows it is the mean of.
};

/// What is stored of a meeting's speakers.
struct StoredSpeakers {
  std::vector<Speaker> known;                 ///< By key.
  std::map<std::string, std::string> merged;  ///< Keys that are no more, and whose they are now.
  std::vector<StoredVoice> voices;
  std::vector<diarization::VoiceGallery::Person> enrolled{};  ///< Whom the organisation knows.
};

/// Who the voices of a meeting are, as published, and what has to be corrected since.
///
/// Corrections: a caption is given to another voice when that has most of its windows for kHoldUs,
///           at most once in kCalmUs; a voice that is no more is merged into the one that has its
///           captions. What a person said is never corrected; a person's or an enrolled name
///           outlives a merge. At most kChangesPerMinute corrections a minute, the rest waits.
/// Names   : a voice that is an enrolled person's gets the name, once that is sure, and loses it
/// when
///           more speech makes it unlikely; what a person named stays. It is asked about again with
///           every quarter of speech more.
/// Memory  : the last kCaptionsMax captions, about 200 bytes each; older ones keep their speaker.
/// Threads : one at a time, the meeting's shard.
class SpeakerBook {
 public:
  static constexpr std::size_t kCaptionsMax = 8192;
  static constexpr std::int64_t kLookEveryUs = 1'000'000;
  static constexpr std::int64_t kHoldUs = 3'000'000;
  static constexpr std::int64_t kCalmUs = 10'000'000;
  static constexpr int kChangesPerMinute = 15;
  /// A label that is less sure than this is withheld rather than guessed.
  static constexpr float kConfidenceMin = 0.4F;

  /// Gives the stored voices to `voices`, which must be new and outlive the book.
  SpeakerBook(diarization::VoiceClusters& voices, StoredSpeakers stored);

  /// Who a label is, as shown; an empty speaker when nobody is sure.
  Speaker speaker_of(const diarization::VoiceLabel& label);
  /// The person of a track, or a second one there, who is called "Ann / voice 2".
  Speaker speaker_on(TrackId track, const Speaker& person, const diarization::VoiceLabel& label);
  bool is_shared(TrackId track) const { return track_voices_.is_shared(track); }
  const std::vector<VoiceHint>& hints() const noexcept { return track_voices_.hints(); }
  /// A track's person under the name, and perhaps the other person, that he was corrected to.
  Speaker shown_as(Speaker speaker) const;
  /// Somebody is shown: from now on one of speakers().
  void note(const Speaker& speaker);
  /// A final was published; `person` is the key of whose track it is, empty for a mixed one.
  void note_final(const Caption& caption,
                  std::vector<VoiceWindow> windows,
                  const std::string& person = {});
  /// Everybody heard so far who is still somebody.
  std::vector<Speaker> speakers() const;

  /// What the voices have come to think since, ready to be published; already applied here.
  std::vector<SpeakerChange> corrections(std::int64_t now_us);
  /// The same after VoiceClusters::finish(): all of it, at once.
  std::vector<SpeakerChange> last_corrections();

  /// A person's correction; its captions rise. Fills in what it leaves out: names, the key of a new
  /// speaker (split). Errors: kNotFound for a speaker that is not there; kConflict for a merge into
  /// itself.
  Result<SpeakerChange> apply(SpeakerChange change);

  /// The voices as they are now, to be stored.
  std::vector<StoredVoice> voices() const;

 private:
  struct Said {
    std::uint64_t offset = 0;
    std::string key;  // As published or corrected last.
    TrackId track = 0;
    std::string person;  // Key of whose track it is; empty: of a mixed one.
    bool manual = false;
    std::string candidate;  // Another speaker it may be, and since when.
    std::int64_t candidate_us = 0;
    std::int64_t corrected_us = 0;
    float share = 0;  // Of its windows that the candidate has.
    std::vector<VoiceWindow> windows;
  };
  using Groups = std::map<std::pair<std::string, std::string>, std::vector<Said*>>;

  std::string key_of(int voice);
  std::string key_on(TrackId track, const std::string& person, int voice);
  std::string first_name(const std::string& key) const;
  Speaker shown_with(const std::string& key, float confidence) const;
  std::string current(std::string key) const;
  Speaker& known(const std::string& key);
  std::string next_key();
  Status check(const SpeakerChange& change) const;
  bool keeps_name(const std::string& key) const;
  std::optional<SpeakerChange> recognise(const diarization::VoiceClusters::Profile& profile);
  void recognise_all(std::vector<SpeakerChange>& changes);
  std::string judged(Said& said);
  bool is_gone(const std::string& key) const;
  SpeakerChange change_for(const std::string& from,
                           const std::string& into,
                           const std::vector<Said*>& captions);
  void merge(const std::string& from, const std::string& into);
  std::vector<SpeakerChange> changes_of(const Groups& groups, std::size_t changes_max);

  diarization::VoiceClusters& voices_;
  TrackVoices track_voices_;
  std::vector<std::string> key_of_voice_;           // By voice number; empty: it has none yet.
  std::map<std::string, std::string> guest_names_;  // Of second people on a track, by key.
  int last_number_ = 0;                             // Of a key "s<number>".
  const diarization::VoiceGallery gallery_;
  std::map<std::string, float> asked_;  // Weight that a voice had when the gallery was asked.
  std::map<std::string, Speaker> speakers_;
  std::map<std::string, std::string> merged_;
  std::deque<Said> said_;
  std::deque<std::int64_t> changes_us_;  // Of the last minute.
};

}  // namespace qylon::media

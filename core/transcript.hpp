#pragma once
/// What was said, as every module hands it on: words, captions, and a whole meeting's transcript.
/// All times are meeting time: milliseconds since the meeting's first audio, from sample counts.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"

namespace qylon {

struct Word {
  std::string text;           ///< As spoken, UTF-8, no spaces.
  std::int64_t start_ms = 0;  ///< Meeting time, or the clock that the producer states.
  std::int64_t end_ms = 0;    ///< >= start_ms.
  float confidence = 0.0F;    ///< [0, 1], calibrated where the engine allows.
};

/// Why a label is believed.
enum class Provenance : std::uint8_t { kTrack, kCluster, kEnrolled, kManual };

/// Who is speaking, as shown.
struct Speaker {
  std::string
      key;  ///< Stable inside the meeting: "t3" (track 3) or "s2" (voice 2); empty: unknown.
  std::string name;  ///< For people: "Ann", "Speaker 2"; empty when unknown.
  Provenance provenance = Provenance::kCluster;
  float confidence = 0.0F;  ///< [0, 1].
};

/// A correction of who said what was published before.
struct SpeakerChange {
  enum class Kind : std::uint8_t {
    kRelabel,  ///< `captions` are `speaker`'s.
    kSplit,    ///< The same, and `speaker` is somebody that was not known before.
    kMerge,    ///< Everything of speaker `from` is `speaker`'s.
    kRename    ///< The speaker with this key has this name now.
  };
  static constexpr std::size_t kCaptionsMax = 500;

  Kind kind = Kind::kRelabel;
  Speaker speaker;                      ///< As it is from now on.
  std::string from;                     ///< Merge: the key that is no more.
  std::vector<std::uint64_t> captions;  ///< Relabel, split: offsets, at most kCaptionsMax.
};
std::string_view speaker_change_name(
    SpeakerChange::Kind kind) noexcept;  ///< "relabel", "split" ...

/// One caption line. An interim replaces the earlier interim of the same segment; a final replaces
/// them all and has an offset. Who said it may be corrected by a later final of the meeting that
/// says nothing itself and holds a `change`: corrections stand in the same sequence as captions.
struct Caption {
  MeetingId meeting;
  TrackId track = 0;
  std::uint64_t segment = 0;            ///< Rises inside the meeting; one final per segment.
  std::uint32_t revision = 0;           ///< Rises inside the segment.
  std::optional<std::uint64_t> offset;  ///< Finals only: 1, 2, 3 ... inside the meeting's epoch.
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  Speaker speaker;
  std::string text;              ///< Words joined by single spaces.
  std::size_t stable_words = 0;  ///< Interims: how many leading words will hardly change.
  std::vector<Word> words;
  float confidence = 0.0F;                      ///< Mean of the words'.
  std::string language;                         ///< BCP 47, e.g. "en".
  std::string engine;                           ///< Which recogniser spoke, e.g. "pocketsphinx".
  std::shared_ptr<const SpeakerChange> change;  ///< Not null: a correction, without words.

  bool is_final() const noexcept { return offset.has_value(); }
};
/// Immutable once published: shared by every thread that fans it out.
using CaptionPtr = std::shared_ptr<const Caption>;

/// Applies a correction to what came before it: `captions` of smaller offsets, in any order.
void apply_change(const SpeakerChange& change, std::vector<Caption>& captions);

/// What the voices on tracks of one person each make likely; somebody should look.
struct VoiceHint {
  enum class Kind : std::uint8_t {
    kShared,  ///< A second person speaks on the track.
    kSwapped  ///< The people of the two tracks are exchanged.
  };
  Kind kind = Kind::kShared;
  std::vector<TrackId> tracks;
};

/// "shared" or "swapped".
std::string_view voice_hint_name(VoiceHint::Kind kind) noexcept;

/// One stretch of one speaker's speech (RTTM line).
struct Turn {
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  Speaker speaker;
};

enum class MeetingState : std::uint8_t { kCreated, kLive, kEnding, kEnded };
std::string_view meeting_state_name(MeetingState state) noexcept;  ///< "created", "live", ...

struct MeetingInfo {
  MeetingId id;
  Epoch epoch;
  std::string title;
  MeetingState state = MeetingState::kCreated;
  std::vector<std::string> glossary;  ///< Words and names the recogniser should expect.
  std::int64_t created_us = 0;        ///< Wall clock, microseconds since 1970.
  std::optional<std::int64_t> started_us;
  std::optional<std::int64_t> ended_us;
};

/// Everything an export needs. `captions` are finals in offset order.
struct Transcript {
  MeetingInfo meeting;
  std::vector<Caption> captions;
};

}  // namespace qylon

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/counters.hpp"
#include "core/transcript.hpp"
#include "diarization/voice_tracker.hpp"
#include "media/audio_ring.hpp"
#include "media/block.hpp"
#include "media/segmenter.hpp"
#include "media/sound_trace.hpp"
#include "media/speaker_book.hpp"
#include "models/recogniser.hpp"

namespace qylon::media {

/// Puts `words` in place of the caption's: its text and confidence follow.
void set_words(Caption& caption, std::vector<Word> words);

/// What a captioner asks of its meeting. Threads: called on the meeting's shard.
class CaptionHost {
 public:
  CaptionHost() = default;
  virtual ~CaptionHost() = default;
  CaptionHost(const CaptionHost&) = delete;
  CaptionHost& operator=(const CaptionHost&) = delete;
  CaptionHost(CaptionHost&&) = delete;
  CaptionHost& operator=(CaptionHost&&) = delete;

  virtual std::uint64_t next_segment() = 0;
  /// Who a voice is, as shown; an empty speaker when the label is withheld.
  virtual Speaker speaker_of(const diarization::VoiceLabel& label) = 0;
  /// The same on the track of `person`: who that is, or a second person there.
  virtual Speaker speaker_on(TrackId track,
                             const Speaker& person,
                             const diarization::VoiceLabel& label) = 0;
  /// Two people speak on the track of one.
  virtual bool is_shared(TrackId track) const = 0;
  /// `caption` lacks the meeting's id; the host fills it in and, for finals, the offset. `windows`
  /// are those that its speaker was told from.
  virtual void on_interim(Caption&& caption) = 0;
  virtual void on_final(Caption&& caption, std::vector<VoiceWindow>&& windows) = 0;
};

/// Turns one track's blocks into captions: utterances from the segmenter, their speaker from the
/// track or its voices, their words from the recogniser.
///
/// Input   : every block of the track in order, samples rising without a gap.
/// Output  : interims while an utterance runs, then exactly one final for each utterance that has
///           words or has shown an interim.
/// Bounds  : the last `kLabelsMax` labels (4 minutes of speech) say whose windows a final is of.
///           `kWaitingMax` utterances wait for their final; more means the oldest becomes final
///           with the words of its last interim, and is counted.
/// Threads : one thread at a time (the shard).
class Captioner {
 public:
  static constexpr std::size_t kWaitingMax = 256;
  static constexpr std::size_t kLabelsMax = 512;

  struct Options {
    TrackId track = 0;
    std::int64_t zero_ms = 0;        ///< Meeting time of sample 0.
    std::optional<Speaker> speaker;  ///< The one person on this track; else voices are told apart.
    Segmenter::Options segmenter;
  };
  struct Parts {
    CaptionHost& host;
    std::unique_ptr<models::RecogniserSession> session;
    /// Null only for a track of one person whose voice is not listened to.
    std::unique_ptr<diarization::VoiceTracker> voices;
    Counter& given_up;  ///< Utterances whose final never came.
  };

  Captioner(const Options& options, Parts parts);

  /// Utterances that begin from now on are dated with it: the track's clock drifts.
  void set_zero_ms(std::int64_t zero_ms) noexcept { options_.zero_ms = zero_ms; }
  void on_block(const Block& block);
  void on_result(models::RecogniserResult&& result);
  /// The track pauses or ends: the open utterance ends at the newest block.
  void flush();
  /// Makes what still waits final with the words shown so far. For a meeting that must end now.
  void give_up_waiting();

  bool speaking() const noexcept { return segmenter_.open(); }
  /// Speaker of the open utterance as far as known. REQUIRES: speaking().
  Speaker current_speaker();
  /// Utterances whose final is outstanding, the open one included.
  std::size_t waiting() const noexcept { return utterances_.size(); }
  /// One of them has something of [start, end) in it, in meeting time.
  bool waits_within(std::int64_t start_ms, std::int64_t end_ms) const;
  /// What the track sounded like lately.
  const SoundTrace& sound() const noexcept { return sound_; }
  std::int64_t zero_ms() const noexcept { return options_.zero_ms; }

 private:
  struct Utterance {
    std::int64_t zero_ms = 0;         // Meeting time of sample 0, as known at its begin.
    std::int64_t start = 0;           // [samples]
    std::optional<std::int64_t> end;  // [samples] Empty while open.
    std::uint32_t revision = 0;
    std::optional<models::RecogniserResult> shown;  // Newest interim.
  };
  using Utterances = std::map<std::uint64_t, Utterance>;

  void begin(std::int64_t sample);
  void end(std::int64_t sample);
  void cut_at_speaker_change();
  std::vector<VoiceWindow> windows_between(std::int64_t start, std::int64_t end) const;
  Speaker speaker_between(std::int64_t start, std::int64_t end);
  Caption make_caption(std::uint64_t segment,
                       Utterance& utterance,
                       const models::RecogniserResult& result);
  void show_interim(std::uint64_t segment, Utterance& utterance, models::RecogniserResult&& result);
  void finish(Utterances::iterator at, const models::RecogniserResult& result);
  void give_up(Utterances::iterator at);

  Options options_;  // Constant after construction but zero_ms.
  CaptionHost& host_;
  const std::unique_ptr<models::RecogniserSession> session_;
  const std::unique_ptr<diarization::VoiceTracker> voices_;
  Counter& given_up_;
  Segmenter segmenter_;
  AudioRing audio_;
  SoundTrace sound_;
  std::deque<diarization::VoiceLabel> labels_;  // The last kLabelsMax of voices_.
  std::uint64_t open_segment_ = 0;              // Meaningful while segmenter_.open().
  Utterances utterances_;                       // Open and waiting ones, by segment.
};

}  // namespace qylon::media

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/transcript.hpp"
#include "diarization/voice_clusters.hpp"
#include "media/bleed_filter.hpp"
#include "media/captioner.hpp"
#include "media/ingress.hpp"
#include "media/meeting_sink.hpp"
#include "media/meeting_time.hpp"
#include "media/track.hpp"
#include "models/recogniser.hpp"

namespace qylon::media {

/// What is stored of a meeting when its first uplink opens it, perhaps after a restart.
struct MeetingRecord {
  MeetingInfo info;
  std::uint64_t last_offset = 0;
  std::uint64_t last_segment = 0;
  std::vector<TrackRecord> tracks;
  StoredSpeakers speakers;
  std::map<TrackId, JournalledAudio> journalled;
};

/// A live meeting: its tracks, its voices, its captions' numbering. Lives on one shard.
///
/// Threads : one thread at a time (the shard).
class Meeting final : private CaptionHost {
 public:
  struct Parts {
    const Clock& clock;
    Counters& counters;
    MeetingSink& sink;
    Recorder* recorder;  ///< Null: nothing is recorded.
    models::Recogniser& recogniser;
    std::shared_ptr<const diarization::EmbeddingModel> voice_model;
    /// Makes the sink through which a track's results come back to on_result() on this shard.
    std::function<std::shared_ptr<models::RecogniserSink>(MeetingId, TrackId)> result_sink;
  };

  Meeting(MeetingRecord record, const Parts& parts);
  ~Meeting() override;
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;
  Meeting(Meeting&&) = delete;
  Meeting& operator=(Meeting&&) = delete;

  /// Opens or takes over the hello's tracks, in order.
  /// Errors: kConflict when the meeting is ending; kInvalidArgument for a format change.
  Result<std::vector<std::shared_ptr<TrackState>>> open_tracks(const UplinkHello& hello);
  /// Opens what the journal has of tracks whose senders have not come back after a restart.
  void resume(const std::vector<TrackRecord>& tracks);
  void on_frame(TrackId track, UplinkFrame&& frame);
  void on_result(TrackId track, models::RecogniserResult&& result);
  /// Connection state, for the status. `owner` is stale when a newer connection took the track.
  void on_disconnect(TrackId track, std::uint64_t owner);
  /// Drives every timer; call each kTickMs.
  void tick();
  /// A person's correction: numbered and published as a final. Works for an ended meeting too.
  /// Returns its offset. Errors: those of SpeakerBook::apply().
  Result<std::uint64_t> correct(SpeakerChange change);
  /// What the voices say of the tracks' people.
  const std::vector<VoiceHint>& hints() const noexcept { return speakers_.hints(); }
  /// Flushes, waits for the last finals, then on_ended(); `done` when that is stored.
  void end(std::function<void(Status)> done);

  /// Ends every open utterance, as when the server is about to stop.
  void flush();
  /// No utterance waits for its final.
  bool all_final() const;
  /// Ended and handed over, or idle for so long that it can be reopened from storage instead.
  bool finished() const noexcept;

  static constexpr int kTickMs = 20;

 private:
  struct Entry {
    std::unique_ptr<Track> track;
    bool connected = false;
  };

  std::uint64_t next_segment() override { return ++last_segment_; }
  Speaker speaker_of(const diarization::VoiceLabel& label) override;
  Speaker speaker_on(TrackId track,
                     const Speaker& person,
                     const diarization::VoiceLabel& label) override;
  bool is_shared(TrackId track) const override { return speakers_.is_shared(track); }
  void on_interim(Caption&& caption) override;
  void on_final(Caption&& caption, std::vector<VoiceWindow>&& windows) override;

  Result<Track*> open_track(const TrackHello& hello, const UplinkHello& uplink);
  void resume_track(Track& track);
  std::unique_ptr<Captioner> make_captioner(const TrackHello& hello, Captioner::Options options);
  std::vector<std::string> vocabulary() const;
  void note_started();
  void publish_change(SpeakerChange change);
  void correct_speakers();
  void say_voices();
  void publish_status();
  void publish_levels();
  void finish_end();

  MeetingInfo info_;
  const Parts parts_;
  Histogram& final_delay_ms_;
  Counter& given_up_;
  std::uint64_t last_offset_;
  std::uint64_t last_segment_;
  std::map<TrackId, Entry> tracks_;
  std::unique_ptr<diarization::VoiceClusters> voices_;
  std::map<TrackId, JournalledAudio> journalled_;  // Until its track is opened again.
  SpeakerBook speakers_;
  BleedFilter bleed_;
  MeetingTime time_;
  std::int64_t status_us_ = 0;
  std::int64_t levels_us_ = 0;
  std::int64_t corrected_us_ = 0;
  std::int64_t voices_us_ = 0;
  bool voices_said_ = true;  // Since the last final.
  std::int64_t idle_since_us_;
  std::int64_t end_deadline_us_ = 0;
  std::vector<std::function<void(Status)>> end_waiters_;
  bool handed_over_ = false;
};

}  // namespace qylon::media

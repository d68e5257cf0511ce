#pragma once
/// What a live meeting tells the rest of the server. server/ wires it to journal, hub and storage.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/transcript.hpp"
#include "media/ingress.hpp"
#include "media/speaker_book.hpp"
#include "media/uplink_frame.hpp"

namespace qylon::media {

/// A subscriber's view of the meeting as a whole; published when it changes, and once a second
/// while live.
struct MeetingStatus {
  struct Track {
    TrackId track = 0;
    std::string label;
    std::string speaker;  ///< Name of the one person on this track, or empty.
    bool connected = false;
    bool speaking = false;
  };
  MeetingId meeting;
  MeetingState state = MeetingState::kLive;
  std::int64_t position_ms = 0;  ///< Meeting time of the newest audio.
  std::int64_t lag_ms = 0;       ///< Speech waiting for the recogniser.
  std::string captions;          ///< "full", "thinned", "finals_only": what the load allows.
  std::vector<Track> tracks;
  std::vector<Speaker> speakers;      ///< Everybody heard so far.
  std::vector<std::string> speaking;  ///< Keys of those who speak now.
  std::vector<VoiceHint> hints;       ///< What is perhaps wrong with the tracks' people.
};

/// Level of one track over the last 100 ms, for meters.
struct TrackLevel {
  TrackId track = 0;
  float rms_dbfs = -100.0F;   ///< [-100, 0]
  float peak_dbfs = -100.0F;  ///< [-100, 0]
  float lufs = -100.0F;       ///< EBU R128 momentary loudness: the last 400 ms. [-100, 10]
  bool speech = false;
  bool clipped = false;  ///< Several samples stood at full scale.
  bool silent = false;   ///< Nothing above -70 dBFS for three seconds: muted, or a dead microphone.
};

/// A track as it is stored: what its hello said and where its clock's zero lies in the meeting.
struct TrackRecord {
  TrackHello hello;
  ClockId clock;
  std::int64_t clock_zero_ms = 0;  ///< Meeting time of capture time 0.
};

/// Threads: called on the meeting's shard; must not block, lock for long or throw.
class MeetingSink {
 public:
  MeetingSink() = default;
  virtual ~MeetingSink() = default;
  MeetingSink(const MeetingSink&) = delete;
  MeetingSink& operator=(const MeetingSink&) = delete;
  MeetingSink(MeetingSink&&) = delete;
  MeetingSink& operator=(MeetingSink&&) = delete;

  /// The meeting came into memory; nothing else is said of it before this, or after on_closed().
  virtual void on_opened(const MeetingInfo& meeting) = 0;
  virtual void on_closed(MeetingId meeting) = 0;
  /// The meeting's first audio ever.
  virtual void on_started(MeetingId meeting, std::int64_t started_us) = 0;
  /// A track was opened, or continues on another clock.
  virtual void on_track(MeetingId meeting, const TrackRecord& track) = 0;
  /// A new frame of `clock` was taken. Calls `synced` from any thread: with true when the frame is
  /// on disk, perhaps with false once before that, or at last.
  virtual void on_audio(MeetingId meeting,
                        ClockId clock,
                        UplinkFrame frame,
                        std::function<void(bool)> synced) = 0;
  virtual void on_interim(CaptionPtr caption) = 0;
  /// What the meeting's voices sound like now; said now and then, and before on_closed().
  virtual void on_voices(MeetingId meeting, std::vector<StoredVoice> voices) = 0;
  /// `caption` has its offset; it is shown to nobody before it is durable.
  virtual void on_final(CaptionPtr caption) = 0;
  virtual void on_status(std::shared_ptr<const MeetingStatus> status) = 0;
  virtual void on_levels(MeetingId meeting, std::vector<TrackLevel> levels) = 0;
  /// Every final was handed over; `done` is called once all of it is stored, from any thread.
  virtual void on_ended(MeetingId meeting, std::function<void(Status)> done) = 0;
};

}  // namespace qylon::media

#pragma once
/// What a live meeting tells the rest of the server. server/ wires it to journal, hub and storage.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/transcript.hpp"
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
};

/// Level of one track over the last 100 ms, for meters.
struct TrackLevel {
  TrackId track = 0;
  float rms_dbfs = -100.0F;   ///< [-100, 0]
  float peak_dbfs = -100.0F;  ///< [-100, 0]
  bool speech = false;
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

  virtual void on_interim(CaptionPtr caption) = 0;
  /// `caption` has its offset; it is shown to nobody before it is durable.
  virtual void on_final(CaptionPtr caption) = 0;
  virtual void on_status(std::shared_ptr<const MeetingStatus> status) = 0;
  virtual void on_levels(MeetingId meeting, std::vector<TrackLevel> levels) = 0;
};

}  // namespace qylon::media

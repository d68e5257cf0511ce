#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "core/bounded_queue.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/transcript.hpp"
#include "media/meeting.hpp"
#include "media/pcm_reader.hpp"

namespace qylon::server {

/// A clock that follows the audio, so that a file takes the timers of the live path at its own
/// pace. Threads: any.
class AudioClock final : public Clock {
 public:
  explicit AudioClock(std::int64_t start_wall_us) : start_wall_us_(start_wall_us) {}
  std::int64_t monotonic_us() const noexcept override { return now_us_; }
  std::int64_t wall_us() const noexcept override { return start_wall_us_ + now_us_; }
  void advance_us(std::int64_t us) noexcept { now_us_ += us; }

 private:
  const std::int64_t start_wall_us_;
  std::atomic<std::int64_t> now_us_{0};
};

/// Runs one file through the live path, as fast as the recogniser goes, without server or disk.
///
/// Threads : one; the recogniser's results come through a bounded queue. At most kLagMsMax of
///           speech is ahead of the recogniser, so that none of it is refused.
class OfflineMeeting final : private media::MeetingSink {
 public:
  static constexpr std::int64_t kLagMsMax = 30'000;

  /// `recorded_us`: wall clock time that the transcript gives as its beginning.
  OfflineMeeting(std::string title,
                 std::int64_t recorded_us,
                 Counters& counters,
                 models::Recogniser& recogniser,
                 std::shared_ptr<const diarization::EmbeddingModel> voice_model);

  /// Errors: those of PcmReader and StreamGraph; what was heard before is in transcript().
  Status run(media::PcmReader& reader);
  const Transcript& transcript() const noexcept { return transcript_; }

 private:
  class ResultQueue;

  void on_opened(const MeetingInfo& /*meeting*/) override {}
  void on_closed(MeetingId /*meeting*/) override {}
  void on_started(MeetingId /*meeting*/, std::int64_t /*started_us*/) override {}
  void on_track(MeetingId /*meeting*/, const media::TrackRecord& /*track*/) override {}
  void on_audio(MeetingId /*meeting*/,
                ClockId /*clock*/,
                media::UplinkFrame /*frame*/,
                std::function<void(bool)> synced) override {
    synced(false);  // There is no journal here.
  }
  void on_interim(CaptionPtr /*caption*/) override {}
  void on_voices(MeetingId /*meeting*/, std::vector<media::StoredVoice> /*voices*/) override {}
  void on_final(CaptionPtr caption) override;
  void on_status(std::shared_ptr<const media::MeetingStatus> /*status*/) override {}
  void on_levels(MeetingId /*meeting*/, std::vector<media::TrackLevel> /*levels*/) override {}
  void on_ended(MeetingId /*meeting*/, std::function<void(Status)> done) override { done(ok()); }

  Status feed(media::PcmReader& reader);
  void take_results(std::chrono::microseconds wait);

  AudioClock clock_;
  models::Recogniser& recogniser_;
  Transcript transcript_;
  std::shared_ptr<ResultQueue> results_;
  media::Meeting meeting_;
};

}  // namespace qylon::server

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "media/block_delay.hpp"
#include "media/captioner.hpp"
#include "media/clock_drift.hpp"
#include "media/ingress.hpp"
#include "media/jitter_buffer.hpp"
#include "media/meeting_sink.hpp"
#include "media/recording.hpp"
#include "media/stream_graph.hpp"
#include "media/track_state.hpp"

namespace qylon::media {

/// What the journal holds of a track when its meeting opens again.
struct JournalledAudio {
  ClockId clock;
  std::deque<UplinkFrame> frames;   ///< Of this clock, in the order in which they were taken.
  std::int64_t final_until_ms = 0;  ///< Meeting time up to which the track has finals.
};

/// One audio track of a live meeting, from uplink frames to captions:
/// jitter buffer -> graph (decode, front end, voice activity) -> captioner, and the recording.
///
/// Time    : sample 0 is the track's first audio; a later clock or a long gap skips samples.
///           Meeting time is sample / 16 + zero_ms + what the sender's clock has drifted from ours,
///           so that the tracks of a meeting stay together for hours.
/// Threads : one thread at a time (the shard); state() from any thread.
class Track final : private BlockSink {
 public:
  struct Options {
    TrackHello hello;
    ClockId clock;
    std::int64_t clock_zero_ms = 0;  ///< Meeting time of capture time 0.
    JitterBuffer::Options jitter;
  };
  struct Counts {
    Counter& frames;
    Counter& duplicates;
    Counter& late;
    Counter& jumps;
    Counter& lost_ms;
    Counter& gap_ms;
    Counter& undecodable;
  };
  struct Parts {
    MeetingId meeting;
    Recorder* recorder;  ///< Null: the track is not recorded.
    Counts counts;
    /// Makes the captioner once the track's zero is known, at its first audio.
    std::function<std::unique_ptr<Captioner>(const Captioner::Options&)> make_captioner;
  };

  /// Errors: what StreamGraph::create() says.
  static Result<std::unique_ptr<Track>> create(const Options& options, Parts parts);

  /// insert() would take the frame, which so belongs into the journal.
  bool is_new(const UplinkFrame& frame) const noexcept {
    return jitter_->standing(frame) == JitterBuffer::Inserted::kTaken;
  }
  /// Takes a frame. True when it was new.
  bool insert(UplinkFrame&& frame, std::int64_t now_us);
  /// Gives up late frames; ends the utterance of a track that fell silent on the wire.
  void tick(std::int64_t now_us);
  /// Delivers everything that waits and ends the open utterance.
  void flush();
  /// Goes on where a killed server stopped: numbering follows the journal, what it holds beyond
  /// the last final is heard again, and what beyond the recording's end is recorded. REQUIRES:
  /// nothing was inserted yet; `audio` has frames.
  void resume(JournalledAudio&& audio, std::int64_t now_us);
  /// Of the journal's audio only this much is heard again: an utterance is far shorter.
  static constexpr std::int64_t kHeardAgainMsMax = 60'000;
  /// The track continues on another clock: numbering starts anew.
  void switch_clock(ClockId clock, std::int64_t clock_zero_ms);

  const TrackHello& hello() const noexcept { return options_.hello; }
  ClockId clock() const noexcept { return options_.clock; }
  std::int64_t clock_zero_ms() const noexcept { return options_.clock_zero_ms; }
  /// Meeting time of the newest audio; before any, of nothing: 0.
  std::int64_t position_ms() const noexcept;
  bool started() const noexcept { return captioner_ != nullptr; }
  Captioner* captioner() noexcept { return captioner_.get(); }
  const std::shared_ptr<TrackState>& state() const noexcept { return state_; }
  std::int64_t last_frame_us() const noexcept { return last_frame_us_; }
  /// Level over the blocks since the last call; a floor level when there were none.
  TrackLevel take_level();

 private:
  Track(const Options& options, Parts parts);
  void on_block(const Block& block) noexcept override;
  void note_settled();
  void deliver(JitterBuffer::Output&& output);
  void deliver_frame(const UplinkFrame& frame, std::int64_t arrived_us);
  /// Meeting time less the track's own.
  std::int64_t correction_us() const noexcept { return carried_us_ + drift_.correction_us(); }
  void align_to(std::uint64_t capture_us);
  std::int64_t record_position_48k() const noexcept;
  void record(std::int64_t position_48k, std::vector<std::uint8_t> packet);
  using Frames = decltype(JournalledAudio::frames);
  void record_again(Frames::iterator from, Frames::iterator end);
  std::int64_t sample_position() const noexcept { return block_end_ + skipped_samples_; }
  void pass_loss(std::int64_t samples, std::span<const std::uint8_t> next);
  void pass_gap(std::int64_t samples);

  Options options_;
  const Parts parts_;
  const std::shared_ptr<TrackState> state_ = std::make_shared<TrackState>();
  std::unique_ptr<StreamGraph> graph_;
  std::unique_ptr<JitterBuffer> jitter_;
  std::unique_ptr<Captioner> captioner_;  // Null before the first audio.
  BlockDelay delay_;                      // Before the captioner.
  std::int64_t zero_ms_ = 0;              // Meeting time of sample 0.
  std::int64_t block_end_ = 0;            // End of the graph's newest block, on its own clock.
  std::int64_t skipped_samples_ = 0;      // Never entered the graph: long gaps.
  std::int64_t record_from_us_ = 0;       // Meeting time of the recording's newest jump,
  std::int64_t recorded_samples_ = 0;     // and what it took since, at the format's rate.
  ClockDrift drift_;                      // Of the current clock.
  std::int64_t carried_us_ = 0;           // What earlier clocks have drifted.
  bool align_ = true;                     // The next frame's capture time says where it lies.
  std::int64_t last_frame_us_ = 0;
  bool wire_silent_ = false;
  double level_power_ = 0.0;
  float level_peak_dbfs_ = -100.0F;
  int level_blocks_ = 0;
  bool level_speech_ = false;
  bool level_clipped_ = false;
  float newest_lufs_ = -100.0F;
  int quiet_blocks_ = 0;
};

}  // namespace qylon::media

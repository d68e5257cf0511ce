#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/bounded_queue.hpp"
#include "media/ingress.hpp"
#include "media/meeting.hpp"
#include "media/track_state.hpp"

namespace qylon::media {

/// One thread that owns the meetings hashed to it; everything reaches them through its mailbox.
///
/// Bounds  : audio is refused when the mailbox is half full (the net thread stops reading),
/// interims
///           at three quarters (dropped, counted); the rest is left to finals and control.
/// Threads : post methods from any thread.
class Shard {
 public:
  struct Options {
    std::size_t mailbox_tasks_max = 16'384;
    /// At stop: how long the recogniser may take over its last finals.
    std::int64_t stop_grace_us = 8'000'000;
  };
  using Corrected = std::function<void(Result<std::uint64_t>)>;
  using Hinted = std::function<void(Result<std::vector<VoiceHint>>)>;
  using Opened = std::function<void(Result<std::vector<std::shared_ptr<TrackState>>>)>;

  /// What `parts` refers to must outlive the shard; its result_sink is replaced by the shard's own.
  Shard(const Options& options, const Meeting::Parts& parts);
  /// Flushes every meeting, waits for finals within the grace, then joins.
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// False when the mailbox is too full for audio; `frame` is untouched then.
  [[nodiscard]] bool post_frame(MeetingId meeting, TrackId track, UplinkFrame& frame);
  /// Opens tracks of a live meeting, or of the one that `record` describes. Without either,
  /// `opened` gets kNotFound.
  [[nodiscard]] bool post_open(UplinkHello hello,
                               std::optional<MeetingRecord> record,
                               Opened opened);
  void post_disconnect(MeetingId meeting, TrackId track, std::uint64_t owner);
  /// Runs `task` on the shard's thread, soon. Dropped when the mailbox is full.
  void post_task(std::function<void()> task);
  /// Ends a live meeting. One that is not live is opened from its record, for what a killed server
  /// left in the journal; without a record `done` gets kNotFound.
  [[nodiscard]] bool post_end(MeetingId meeting,
                              std::optional<MeetingRecord> record,
                              std::function<void(Status)> done);
  /// Corrects the speakers of a live meeting, or of the one that `record` describes. Without
  /// either, `done` gets kNotFound.
  [[nodiscard]] bool post_correct(MeetingId meeting,
                                  std::optional<MeetingRecord> record,
                                  SpeakerChange change,
                                  Corrected done);
  /// Of a meeting that is not live there are none.
  [[nodiscard]] bool post_hints(MeetingId meeting, Hinted done);

 private:
  struct FrameTask {
    MeetingId meeting;
    TrackId track;
    UplinkFrame frame;
  };
  struct OpenTask {
    UplinkHello hello;
    std::optional<MeetingRecord> record;
    Opened opened;
  };
  struct ResultTask {
    MeetingId meeting;
    TrackId track;
    models::RecogniserResult result;
  };
  struct DisconnectTask {
    MeetingId meeting;
    TrackId track;
    std::uint64_t owner;
  };
  struct EndTask {
    MeetingId meeting;
    std::optional<MeetingRecord> record;
    std::function<void(Status)> done;
  };
  struct CorrectTask {
    MeetingId meeting;
    std::optional<MeetingRecord> record;
    SpeakerChange change;
    Corrected done;
  };
  struct HintsTask {
    MeetingId meeting;
    Hinted done;
  };
  struct PlainTask {
    std::function<void()> run;
  };
  using Task = std::variant<FrameTask,
                            OpenTask,
                            ResultTask,
                            DisconnectTask,
                            EndTask,
                            CorrectTask,
                            HintsTask,
                            PlainTask>;
  class ResultSink;
  struct Mailbox;

  void run();
  void run_until_final();
  void handle(Task&& task);
  void perform(FrameTask&& task);
  void perform(OpenTask&& task);
  void perform(ResultTask&& task);
  void perform(DisconnectTask&& task);
  void perform(EndTask&& task);
  void perform(CorrectTask&& task);
  void perform(HintsTask&& task);
  static void perform(PlainTask&& task) { task.run(); }
  void tick_when_due();
  Meeting* find(MeetingId meeting);
  Meeting& open(MeetingRecord record);

  const Options options_;
  const std::shared_ptr<Mailbox> mailbox_;  // Outlives the shard in the recogniser's hands.
  const Meeting::Parts parts_;
  Gauge& live_meetings_;
  std::unordered_map<MeetingId, std::unique_ptr<Meeting>> meetings_;  // Owned by thread.
  std::int64_t next_tick_us_ = 0;                                     // Owned by thread.
  std::atomic<bool> stopping_{false};
  std::jthread thread_;
};

}  // namespace qylon::media

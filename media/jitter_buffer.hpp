#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>

#include "media/uplink_frame.hpp"

namespace qylon::media {

/// Puts one track's frames in order: repairs reordering up to a window, drops duplicates, and tells
/// losses and gaps as exact durations, so that the track's time follows from sample counts alone.
///
/// Time    : capture_us of the first frame is the track's zero. Sequences start at 0; a track that
///           begins with another seq waits `window_ms` for earlier ones. A missing seq waits until
///           it comes, until later frames span `window_ms` of capture time, or until tick() says
///           that `window_ms` have passed on the clock; then it is lost, for as long as the capture
///           clock says, or for the last known frame length when that makes no sense. A capture
///           time that is ahead of the sample count by more than `gap_ms` is a gap of exactly that
///           length. A payload that is no packet of the track is lost, too. Capture times that run
///           away from the sample count by up to 100 parts per million are another crystal's, not a
///           gap: the sample count stays, and skew_us() says how far they are apart.
/// Bounds  : `frames_max` waiting frames; more means the oldest missing seq is given up.
/// Cost    : a frame in order is handed on without being stored.
/// Threads : one thread at a time.
class JitterBuffer {
 public:
  struct Options {
    int window_ms = 200;       ///< Longest wait for a late frame. 0..1000.
    int gap_ms = 60;           ///< Capture clock jitter below this is not a gap.
    int jump_ms_max = 10'000;  ///< See Inserted::kJump; longer silences arrive as a new anchor.
    std::size_t frames_max = 512;
  };
  enum class Inserted : std::uint8_t {
    kTaken,
    kDuplicate,  ///< This seq is already settled or waiting.
    kLate,       ///< This seq was given up as lost before it came.
    kJump,       ///< seq is further ahead than jump_ms_max allows; refused.
  };
  /// What comes out, in order. Exactly one of the members is meaningful.
  struct Output {
    enum class Kind : std::uint8_t { kFrame, kLost, kGap };
    Kind kind = Kind::kFrame;
    UplinkFrame frame;             ///< kFrame.
    std::int64_t duration_us = 0;  ///< kLost, kGap.
    std::int64_t arrived_us = 0;   ///< kFrame: `now_us` of its insert().
    /// kLost: payload of the frame that follows, which may repeat what is missing; empty: unknown.
    std::span<const std::uint8_t> next;
  };
  /// Duration of a frame's payload [us]; 0 when it cannot be told.
  using DurationOf = std::function<std::int64_t(const UplinkFrame&)>;
  using Deliver = std::function<void(Output&&)>;

  JitterBuffer(const Options& options, DurationOf duration_of, Deliver deliver);

  /// What insert() would say of the frame.
  Inserted standing(const UplinkFrame& frame) const noexcept;
  Inserted insert(UplinkFrame&& frame, std::int64_t now_us);
  /// Gives up what has waited for window_ms. Call every 20 ms or so.
  void tick(std::int64_t now_us);
  /// Delivers everything that waits; what is missing in between is lost.
  void flush();

  /// Every seq below is delivered or given up, counting frames that wait in unbroken order.
  std::uint64_t next_seq() const noexcept { return next_seq_; }
  /// What the capture clock has gained on the sample count so far, gaps and losses aside.
  std::int64_t skew_us() const noexcept { return skew_us_; }
  /// For a track that continues after a restart: frames below `seq` are duplicates.
  /// REQUIRES: nothing was inserted yet.
  void resume_at(std::uint64_t seq) noexcept {
    next_seq_ = seq;
    started_ = true;
  }

 private:
  struct Waiting {
    UplinkFrame frame;
    std::int64_t arrived_us = 0;
    std::int64_t duration_us = 0;  // 0: not a packet of this track, or no payload.
  };
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
  };
  bool was_given_up(std::uint64_t seq) const noexcept;
  bool jumps(const UplinkFrame& frame) const noexcept;
  bool overdue() const noexcept;
  std::int64_t oldest_arrival_us() const noexcept;
  void drain();
  void follow_skew(std::int64_t ahead_us, std::int64_t duration_us) noexcept;
  void deliver_next(Waiting&& next);
  void deliver_silent_time(Output::Kind kind,
                           std::int64_t duration_us,
                           std::span<const std::uint8_t> next = {});
  void give_up_missing();
  std::int64_t loss_us(std::uint64_t missing, std::uint64_t next_capture_us) const noexcept;
  void remember_given_up(Range range);

  const Options options_;
  const DurationOf duration_of_;
  const Deliver deliver_;
  std::map<std::uint64_t, Waiting> waiting_;  // By seq; all >= next_seq_ once started.
  std::deque<Range> given_up_;                // The newest few; older ones count as duplicates.
  std::uint64_t next_seq_ = 0;
  bool started_ = false;
  std::optional<std::uint64_t> expected_capture_us_;  // End of what was delivered.
  std::int64_t skew_us_ = 0;                          // Within expected_capture_us_.
  std::int64_t last_duration_us_ = 20'000;            // Until a frame tells: what most send.
};

}  // namespace qylon::media

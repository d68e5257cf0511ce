#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "core/clock.hpp"
#include "core/ids.hpp"

namespace qylon::media {

/// A meeting's time, which counts from its first audio ever, and where the zero of each uplink
/// clock lies in it.
///
/// Threads : one at a time, the meeting's shard.
class MeetingTime {
 public:
  /// `started_us`: wall time of the first audio, when there was any. `clock` must outlive this.
  MeetingTime(const Clock& clock, std::optional<std::int64_t> started_us);

  /// The first audio ever is here.
  void start();
  /// [ms]; 0 before start().
  std::int64_t present_ms() const;
  /// A stored clock's zero [ms].
  void set_zero(ClockId clock, std::int64_t zero_ms) { zeros_ms_[clock] = zero_ms; }
  /// The clock's zero [ms]: known, or as its uplink told, or the present, which is then not before
  /// `track_ms`, the newest audio of the track that it continues.
  std::int64_t zero_ms(ClockId clock, std::optional<std::int64_t> told_ms, std::int64_t track_ms);

 private:
  const Clock& clock_;
  bool started_;
  std::int64_t since_us_;     // Monotonic.
  std::int64_t at_since_ms_;  // Meeting time at since_us_.
  std::map<ClockId, std::int64_t> zeros_ms_;
};

}  // namespace qylon::media

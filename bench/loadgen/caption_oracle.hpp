#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/loadgen/findings.hpp"
#include "bench/loadgen/percentiles.hpp"
#include "bench/loadgen/viewer_message_json.hpp"
#include "core/sync.hpp"

namespace qylon::loadgen {

/// The finals of one meeting as all its viewers together received them: what two of them hear
/// under one offset must be the same, and the transcript must hold every one of them.
///
/// Threads : every method is safe from any thread.
class CaptionUnion {
 public:
  struct Noted {
    bool agrees = true;         ///< With what others heard under this offset.
    std::int64_t first_us = 0;  ///< When the first viewer heard it.
  };
  /// `final.position.offset` is 1 to 10^7.
  Noted note(const ViewerMessage& final, std::int64_t now_us) QYLON_EXCLUDES(mutex_);

  /// Offsets 1 to size(); every one was received by somebody, unless a finding says otherwise.
  std::uint64_t size() const QYLON_EXCLUDES(mutex_);
  /// Holds the exported transcript against the union: each caption once, none missing, none
  /// different, none that nobody ever heard.
  Findings compare(const std::vector<ViewerMessage>& transcript) const QYLON_EXCLUDES(mutex_);

 private:
  struct Heard {
    bool heard = false;
    bool empty = false;  // Its text: takes an interim back, and is not in a transcript.
    std::uint64_t content = 0;
    std::int64_t first_us = 0;
  };
  mutable Mutex mutex_;
  std::vector<Heard> finals_ QYLON_GUARDED_BY(mutex_);  // By offset - 1.
};

/// What one viewer received, held against docs/PROTOCOL.md: offsets rise by one, over any number of
/// connections, and the epoch stays.
///
/// Threads : one at a time; its owner locks.
class ViewerOracle {
 public:
  /// `audio_zero_us`: monotonic time of the meeting's first sample. `all` outlives this.
  ViewerOracle(std::string name, std::int64_t audio_zero_us, CaptionUnion& all)
      : name_(std::move(name)), audio_zero_us_(audio_zero_us), all_(all) {}

  void on_message(const ViewerMessage& message, std::int64_t now_us);

  /// Where the next connection goes on; nothing before the first position.
  const std::optional<Position>& position() const noexcept { return position_; }
  /// Where the meeting was when the newest connection began.
  std::uint64_t last_told() const noexcept { return told_; }
  std::uint64_t finals() const noexcept { return finals_; }
  std::uint64_t interims() const noexcept { return interims_; }
  /// From the last sound of a live final to its arrival.
  const Percentiles& delays() const noexcept { return delays_; }
  /// From the first viewer's arrival of a live final to this one's.
  const Percentiles& spreads() const noexcept { return spreads_; }
  const Findings& findings() const noexcept { return findings_; }

 private:
  void on_position(const ViewerMessage& message);
  void on_final(const ViewerMessage& message, std::int64_t now_us);

  const std::string name_;
  const std::int64_t audio_zero_us_;
  CaptionUnion& all_;
  std::optional<Position> position_;
  std::uint64_t told_ = 0;
  std::uint64_t finals_ = 0;
  std::uint64_t interims_ = 0;
  Percentiles delays_;
  Percentiles spreads_;
  Findings findings_;
};

}  // namespace qylon::loadgen

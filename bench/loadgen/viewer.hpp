#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "bench/loadgen/caption_oracle.hpp"
#include "bench/loadgen/oracle_log.hpp"
#include "core/backoff.hpp"
#include "core/clock.hpp"
#include "core/message_channel.hpp"
#include "core/sync.hpp"

namespace qylon::loadgen {

/// One reader of a meeting's captions: connects, subscribes, and after a loss goes on from the last
/// final that it has, after a jittered back-off.
///
/// Threads : start() and step() on one thread; what arrives is judged on the connector's.
class Viewer {
 public:
  struct Options {
    std::string url;    ///< ws://host:port/v1/subscribe
    std::string token;  ///< Empty: none.
    MeetingId meeting;
    std::string name;           ///< "viewer 3".
    std::int64_t first_us = 0;  ///< Monotonic time of the first attempt.
    std::int64_t audio_zero_us = 0;
    std::int64_t backoff_ms_max = 15'000;
    std::uint64_t seed = 1;
  };
  struct Parts {
    MessageConnector& connector;
    const Clock& clock;
    CaptionUnion& all;
    OracleLog& log;
  };
  Viewer(Options options, const Parts& parts);

  void step();
  /// True once this viewer has what anybody else has.
  bool has_all() const QYLON_EXCLUDES(mutex_);

  struct Report {
    std::uint64_t connections = 0;
    std::uint64_t finals = 0;
    std::uint64_t interims = 0;
    Percentiles delays;
    Percentiles spreads;
    Findings findings;
  };
  Report report() const QYLON_EXCLUDES(mutex_);

 private:
  void connect();
  void lose();
  void watch_silence();
  void on_open();
  void on_text(std::string_view text) QYLON_EXCLUDES(mutex_);
  void on_close(int code);

  const Options options_;
  const Parts parts_;
  Backoff backoff_;
  std::int64_t due_us_;
  std::int64_t pinged_us_ = 0;
  std::atomic<std::int64_t> heard_us_{0};
  std::atomic<std::int64_t> retry_after_ms_{0};
  std::atomic<bool> closed_{false};
  std::atomic<bool> opened_{false};
  mutable Mutex mutex_;
  ViewerOracle oracle_ QYLON_GUARDED_BY(mutex_);
  Findings garbage_ QYLON_GUARDED_BY(mutex_);
  std::uint64_t connections_ QYLON_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<MessageChannel> channel_;  // Last: its callbacks use the rest.
};

}  // namespace qylon::loadgen

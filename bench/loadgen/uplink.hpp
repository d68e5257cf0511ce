#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bench/loadgen/oracle_log.hpp"
#include "bench/loadgen/speech_loop.hpp"
#include "bench/loadgen/uplink_oracle.hpp"
#include "bench/loadgen/watched_connector.hpp"
#include "core/clock.hpp"
#include "core/sync.hpp"
#include "realtime/uplink_client.hpp"

namespace qylon::loadgen {

/// One sender in real time: the product's own UplinkClient fed with a SpeechLoop, and watched.
///
/// Threads : step() and finish() on one thread.
class Uplink {
 public:
  struct Options {
    realtime::UplinkClient::Options client;
    std::string name;           ///< "uplink 3".
    std::int64_t start_us = 0;  ///< Monotonic time of its first sample.
    std::int64_t first_us = 0;  ///< Of its first attempt to connect; sound waits until then.
  };
  struct Parts {
    MessageConnector& connector;
    const Clock& clock;
    const SpeechLoop& speech;
    OracleLog& log;
  };
  /// Errors: UplinkClient::create()'s.
  static Result<std::unique_ptr<Uplink>> create(const Options& options, const Parts& parts);

  /// Offers what is due by now, and does what the client has to do.
  void step();
  /// No more sound from here on.
  void finish();

  bool done() const noexcept;
  const realtime::UplinkClient& client() const noexcept { return *client_; }
  MeetingId meeting() const noexcept { return options_.client.meeting; }
  TrackId track() const noexcept { return options_.client.track.track; }
  const std::string& name() const noexcept { return options_.name; }
  const SpeechLoop& speech() const noexcept { return parts_.speech; }
  std::uint64_t packets() const noexcept { return offered_; }
  UplinkOracle oracle() const QYLON_EXCLUDES(mutex_);

 private:
  Uplink(const Options& options, const Parts& parts);
  void on_sent(std::span<const std::uint8_t> bytes) QYLON_EXCLUDES(mutex_);
  void on_heard(std::string_view text) QYLON_EXCLUDES(mutex_);
  void write(std::string_view what, std::uint64_t n);

  const Options options_;
  const Parts parts_;
  WatchedConnector connector_;
  std::uint64_t offered_ = 0;
  bool finished_ = false;
  mutable Mutex mutex_;
  UplinkOracle oracle_ QYLON_GUARDED_BY(mutex_);
  std::unique_ptr<realtime::UplinkClient> client_;  // Last: its channel's callbacks use the rest.
};

}  // namespace qylon::loadgen

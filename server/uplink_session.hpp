#pragma once

#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "media/capture.hpp"
#include "media/opus_encoder.hpp"
#include "realtime/uplink_client.hpp"
#include "server/uplink_line.hpp"

namespace qylon::server {

/// SIGINT and SIGTERM, asked for instead of handled: blocked for the process, so it must be made
/// before any thread.
class Interrupts {
 public:
  Interrupts();
  /// How many have come so far.
  int count();

 private:
  sigset_t signals_{};
  int count_ = 0;
};

/// Carries captured sound into an uplink until the sound ends or somebody stops it, and shows how
/// it goes on one line.
///
/// Threads : one.
class UplinkSession {
 public:
  struct Parts {
    media::Capture& capture;
    media::OpusPacketEncoder& encoder;
    realtime::UplinkClient& client;
    Interrupts& interrupts;
    const Clock& clock;
  };
  struct Options {
    bool live = false;   ///< Microphone or desktop: it cannot wait for the server.
    bool paced = false;  ///< In real time.
    bool terminal = false;
  };
  enum class End : std::uint8_t {
    kDone,         ///< Everything offered is acknowledged.
    kSourceLost,   ///< As kDone, but the source failed before its end: source_error().
    kRefused,      ///< The client failed.
    kInterrupted,  ///< Stopped before everything was acknowledged.
  };

  UplinkSession(const Parts& parts, const Options& options) : parts_(parts), options_(options) {}

  End run();
  const Error& source_error() const noexcept { return source_error_; }

 private:
  void watch_interrupts();
  bool waits_for_server() const;
  void feed();
  bool feed_block();
  void end_track();
  void show(bool last);
  std::int64_t wait_us() const;

  const Parts parts_;
  const Options options_;
  bool block_waits_ = false;  // block_ was encoded into packet_ but not taken yet.
  bool ended_ = false;
  bool more_at_once_ = false;
  bool gave_up_ = false;
  bool source_lost_ = false;
  std::int64_t stop_us_ = 0;  // When a first interrupt loses patience; 0: none came.
  std::int64_t next_line_us_ = 0;
  std::vector<std::uint8_t> packet_;
  Error source_error_;
  LevelMeter meter_;
  media::CaptureBlock block_;
};

}  // namespace qylon::server

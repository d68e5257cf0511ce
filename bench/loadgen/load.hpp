#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/loadgen/uplink.hpp"
#include "bench/loadgen/viewer.hpp"
#include "realtime/ws_connector.hpp"
#include "server/meeting_calls_json.hpp"

namespace qylon::loadgen {

/// What a run came to.
struct LoadReport {
  std::uint64_t packets = 0;       ///< Offered to all uplinks.
  std::uint64_t frames_again = 0;  ///< Sent more than once.
  std::uint64_t disk_away = 0;     ///< Acknowledgements with `durable` null.
  std::uint64_t uplink_connections = 0;
  std::uint64_t viewer_connections = 0;
  std::uint64_t captions = 0;    ///< Finals of all meetings, each counted once.
  std::uint64_t deliveries = 0;  ///< Finals of all viewers.
  std::uint64_t interims = 0;
  Percentiles settle_times;
  Percentiles durable_times;
  Percentiles delays;
  Percentiles spreads;
  Findings findings;
};
std::string print_report(const LoadReport& report, std::uint64_t seed);

/// Uplinks that speak and viewers that read, spread over meetings round robin.
///
/// Threads : one, beside the connector's.
class Load {
 public:
  struct Options {
    server::ServerLogin server;
    server::ServerUrl via;  ///< Where WebSockets go: the server itself, or a proxy before it.
    std::vector<MeetingId> meetings;
    std::int64_t uplinks = 8;
    std::int64_t viewers = 16;
    std::int64_t ramp_ms = 1'000;
    std::int64_t backoff_ms_max = 15'000;
    std::uint64_t seed = 1;
  };
  /// Errors: what a meeting, an uplink or the connector cannot be made for.
  static Result<std::unique_ptr<Load>> create(const Options& options, OracleLog& log);

  /// Streams for `seconds`, or until `stopped`; then ends the tracks and waits for the last
  /// acknowledgements.
  void run(std::int64_t seconds, const std::function<bool()>& stopped);
  /// Ends the meetings and holds transcripts and recordings against what was sent and heard.
  void verify();
  LoadReport report() const;
  const std::vector<MeetingId>& meetings() const noexcept { return options_.meetings; }

 private:
  Load(Options options, OracleLog& log) : options_(std::move(options)), log_(log) {}
  Status prepare();
  Status add_uplink(std::int64_t number);
  void add_viewer(std::int64_t number);
  /// Goes on until `done`; false when `patience_s` passed first.
  bool step_until(const std::function<bool()>& done, std::int64_t patience_s);
  bool end_meeting(MeetingId meeting);
  void verify_transcript(std::size_t meeting);
  void verify_recording(const Uplink& uplink);

  Options options_;
  OracleLog& log_;
  const SystemClock clock_;
  std::int64_t zero_us_ = 0;
  std::unique_ptr<realtime::WsConnector> connector_;
  std::vector<SpeechLoop> voices_;
  std::vector<std::unique_ptr<CaptionUnion>> captions_;  // By meeting.
  std::vector<std::unique_ptr<Uplink>> uplinks_;
  std::vector<std::unique_ptr<Viewer>> viewers_;
  Findings findings_;
};

}  // namespace qylon::loadgen

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "realtime/uplink_client.hpp"

namespace qylon::server {

/// Loudness of what was captured since the last line.
class LevelMeter {
 public:
  void add(std::span<const float> samples) noexcept;
  /// RMS of the loudest block since the last call, [-100, 0] dBFS; -100 without one.
  float take_dbfs() noexcept;

 private:
  double loudest_power_ = 0.0;
};

struct UplinkView {
  realtime::UplinkClient::State state = realtime::UplinkClient::State::kWaiting;
  realtime::UplinkClient::Progress progress;
  std::string trouble;
  float level_dbfs = -100.0F;
  std::optional<std::int64_t> total_ms;  ///< Of a file.
  bool finishing = false;                ///< Nothing more is captured.
};

/// "live       [#####-----] -23 dB  sent 0:12/1:16  acknowledged 0:11  lag 0.3 s", ASCII only.
std::string format_uplink_line(const UplinkView& view);

/// 75'250 -> "1:15", 3'675'000 -> "1:01:15".
std::string format_duration(std::int64_t ms);

}  // namespace qylon::server

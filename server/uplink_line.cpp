#include "server/uplink_line.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace qylon::server {
namespace {

using State = realtime::UplinkClient::State;

const char* state_word(const UplinkView& view) {
  if (view.state == State::kStreaming) return view.finishing ? "finishing" : "live";
  if (view.state == State::kClosing || view.state == State::kDone) return "done";
  if (view.state == State::kFailed) return "failed";
  return view.progress.connections == 0 ? "connecting" : "lost";
}

/// Ten places for the 60 dB in which speech lies.
std::string level_bar(float dbfs) {
  const long filled = std::clamp(std::lround((dbfs + 60.0F) / 6.0F), 0L, 10L);
  std::string bar(10, '-');
  std::fill_n(bar.begin(), filled, '#');
  return "[" + bar + "]";
}

std::string seconds(std::int64_t ms) {
  return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + " s";
}

}  // namespace

void LevelMeter::add(std::span<const float> samples) noexcept {
  if (samples.empty()) return;
  double power = 0.0;
  for (const float sample : samples)
    power += static_cast<double>(sample) * static_cast<double>(sample);
  loudest_power_ = std::max(loudest_power_, power / static_cast<double>(samples.size()));
}

float LevelMeter::take_dbfs() noexcept {
  const double dbfs = loudest_power_ > 0.0 ? 10.0 * std::log10(loudest_power_) : -100.0;
  loudest_power_ = 0.0;
  return static_cast<float>(std::clamp(dbfs, -100.0, 0.0));
}

std::string format_duration(std::int64_t ms) {
  const std::int64_t total = ms / 1000;
  std::array<char, 48> text{};
  if (total < 3600) {
    std::snprintf(text.data(),
                  text.size(),
                  "%lld:%02lld",
                  static_cast<long long>(total / 60),
                  static_cast<long long>(total % 60));
  } else {
    std::snprintf(text.data(),
                  text.size(),
                  "%lld:%02lld:%02lld",
                  static_cast<long long>(total / 3600),
                  static_cast<long long>(total / 60 % 60),
                  static_cast<long long>(total % 60));
  }
  return text.data();
}

std::string format_uplink_line(const UplinkView& view) {
  const auto& progress = view.progress;
  std::string line = state_word(view);
  // With a column each this keeps the usual line within 80.
  line.resize(std::max<std::size_t>(line.size(), 10), ' ');
  line += " " + level_bar(view.level_dbfs) + " " + std::to_string(std::lround(view.level_dbfs)) +
          " dB  sent " + format_duration(progress.sent_ms);
  if (view.total_ms) line += "/" + format_duration(*view.total_ms);
  line += "  acknowledged " + format_duration(progress.acknowledged_ms) + "  lag " +
          seconds(progress.lag_ms());
  if (progress.dropped_ms > 0) line += "  LOST " + seconds(progress.dropped_ms);
  if (progress.disk_away) line += "  (the server's disk is full or away)";
  const bool away = view.state == State::kWaiting || view.state == State::kConnecting;
  if (away && !view.trouble.empty()) line += "  (" + view.trouble + ")";
  return line;
}

}  // namespace qylon::server

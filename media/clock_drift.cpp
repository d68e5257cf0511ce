#include "media/clock_drift.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace qylon::media {
namespace {

constexpr double kWindowSeconds = 10.0;
constexpr std::size_t kWindowsMin = 12;
constexpr double kSlopePpmMax = 300.0;
constexpr double kSlewPpm = 500.0;

double median(std::span<double> values) noexcept {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void ClockDrift::observe(std::int64_t track_us, std::int64_t arrival_us) noexcept {
  const double track_s = static_cast<double>(track_us) * 1e-6;
  const auto delay_us = static_cast<double>(arrival_us - track_us);
  if (track_s < newest_s_) return;
  if (shortest_ && track_s - window_begin_s_ >= kWindowSeconds) close_window();
  if (!shortest_) {
    window_begin_s_ = track_s;
    shortest_ = Point{track_s, delay_us};
  } else if (delay_us < shortest_->delay_us) {
    shortest_ = Point{track_s, delay_us};
  }
  approach(track_s);
}

std::int64_t ClockDrift::correction_us() const noexcept {
  return std::llround(correction_us_);
}

void ClockDrift::close_window() noexcept {
  points_[windows_ % kPoints] = *shortest_;
  shortest_.reset();
  ++windows_;
  if (windows_ >= kWindowsMin) fit();
}

/// Median of all slopes, then of all levels with it (Theil and Sen).
void ClockDrift::fit() noexcept {
  const auto points = std::span(points_).first(std::min(windows_, kPoints));
  std::array<double, kPoints*(kPoints - 1) / 2> slopes{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      const double seconds = points[j].track_s - points[i].track_s;
      if (std::abs(seconds) >= kWindowSeconds / 2.0)
        slopes[count++] = (points[j].delay_us - points[i].delay_us) / seconds;
    }
  }
  if (count == 0) return;
  const double slope_ppm = median(std::span(slopes).first(count));
  if (std::abs(slope_ppm) > kSlopePpmMax) return;
  std::array<double, kPoints> levels{};
  std::ranges::transform(points, levels.begin(), [slope_ppm](const Point& point) {
    return point.delay_us - slope_ppm * point.track_s;
  });
  slope_ppm_ = slope_ppm;
  level_us_ = median(std::span(levels).first(points.size()));
  // Before the first line was known the delay lay on it, too.
  if (!base_us_) base_us_ = level_us_;
}

void ClockDrift::approach(double track_s) noexcept {
  const double step_us = kSlewPpm * (track_s - newest_s_);
  newest_s_ = track_s;
  if (!base_us_) return;
  const double wanted_us = level_us_ + slope_ppm_ * track_s - *base_us_;
  correction_us_ += std::clamp(wanted_us - correction_us_, -step_us, step_us);
}

}  // namespace qylon::media

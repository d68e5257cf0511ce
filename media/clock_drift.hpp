#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace qylon::media {

/// How far a track's own time has drifted from the server's clock.
///
/// A track's time is a count of samples of somebody else's crystal: 50 parts per million are two
/// seconds in twelve hours. The estimate follows the shortest delays (arrival - track time) of ten
/// seconds each, because a network can only add to a delay; a line through those of about the last
/// ten minutes by Theil and Sen, which a third of outliers does not move. Correction is applied to
/// times, not to samples: captions and recordings get the server's clock, the sound stays as it is.
///
/// Output  : 0 until two minutes were heard, then within a few milliseconds of the truth; it moves
///           by 0.5 ms a second at most. A sender that is not live (slopes beyond 300 ppm: a file
///           sent faster than it plays) is left alone.
/// Bounds  : a lasting change of the network's shortest delay looks like drift and is followed.
/// Cost    : some additions per frame, 2,016 slopes every ten seconds; 1.2 kB.
/// Threads : one at a time.
/// Source  : P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", J. Am.
///           Stat. Assoc. 63, 1968; S. Moon, P. Skelly, D. Towsley, "Estimation and removal of
///           clock skew from network delay measurements", INFOCOM 1999 (shortest delays carry the
///           skew).
class ClockDrift {
 public:
  /// A frame that begins at `track_us` arrived at `arrival_us` of the server's clock. Track times
  /// rise; an earlier one is ignored.
  void observe(std::int64_t track_us, std::int64_t arrival_us) noexcept;

  /// What has to be added to the newest track time.
  std::int64_t correction_us() const noexcept;

 private:
  struct Point {
    double track_s;
    double delay_us;
  };
  static constexpr std::size_t kPoints = 64;

  void close_window() noexcept;
  void fit() noexcept;
  void approach(double track_s) noexcept;

  std::array<Point, kPoints> points_{};  // The shortest delay of each window; a ring.
  std::size_t windows_ = 0;              // Closed so far.
  std::optional<Point> shortest_;        // Of the open window.
  double window_begin_s_ = 0.0;
  double newest_s_ = 0.0;
  std::optional<double> base_us_;  // The delay at the track's begin; known once a line is.
  double slope_ppm_ = 0.0;
  double level_us_ = 0.0;  // The line's delay at track time 0.
  double correction_us_ = 0.0;
};

}  // namespace qylon::media

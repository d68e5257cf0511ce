#pragma once

#include <span>

#include "core/result.hpp"

namespace qylon::dsp {

/// Second-order Butterworth high-pass: removes DC, mains hum and desk rumble before everything
/// that measures or recognises speech.
///
/// Signal  : mono float32, full scale +-1; in place; any block length, state carries over.
/// Cost    : 5 multiply-adds per sample; no allocation, lock or I/O after create().
/// Threads : one object per stream, one thread at a time.
/// Source  : R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", HPF
///           with Q = 1/sqrt(2) (bilinear transform of the Butterworth prototype).
class Highpass {
 public:
  struct Options {
    float sample_rate_hz = 16000.0F;
    float cutoff_hz = 80.0F;  ///< -3 dB point; in (0, sample_rate_hz / 2).
  };

  /// Errors: kInvalidArgument when cutoff_hz is outside (0, sample_rate_hz / 2).
  static Result<Highpass> create(const Options& options);

  /// Filters `samples` in place.
  void process(std::span<float> samples) noexcept;

  /// Forgets all past samples.
  void reset() noexcept;

 private:
  struct Coefficients {
    double b0 = 1.0;
    double b1 = 0.0;
    double b2 = 0.0;
    double a1 = 0.0;
    double a2 = 0.0;
  };

  explicit Highpass(const Coefficients& coefficients) : coefficients_(coefficients) {}

  Coefficients coefficients_;  // Constant after construction.
  double state1_ = 0.0;
  double state2_ = 0.0;
};

}  // namespace qylon::dsp

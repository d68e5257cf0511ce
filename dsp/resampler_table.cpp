#include "dsp/resampler_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <numeric>
#include <utility>

#include "core/sync.hpp"

namespace qylon::dsp {
namespace {

// Pass band to 0.9 of the lower Nyquist frequency, stop band from 1.0: the transition is a tenth of
// it. 103 dB by design leaves 3 dB for the rounding of taps and coefficients.
constexpr double kPassBand = 0.9;
constexpr double kStopBandDb = 103.0;

/// Modified Bessel function of the first kind, order 0, by its power series.
double bessel_i0(double x) {
  double sum = 1.0;
  double term = 1.0;
  for (int k = 1; term > sum * 1e-17; ++k) {
    term *= (x / (2.0 * k)) * (x / (2.0 * k));
    sum += term;
  }
  return sum;
}

double sinc(double x) {
  return x == 0.0 ? 1.0 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

struct Design {
  double cutoff;      // Of the input rate: cycles per input sample, times two.
  double half_width;  // Of the window, in input samples.
  double beta;

  double at(double time) const {
    const double ratio = time / half_width;
    if (std::abs(ratio) >= 1.0) return 0.0;
    return cutoff * sinc(cutoff * time) * bessel_i0(beta * std::sqrt(1.0 - ratio * ratio)) /
           bessel_i0(beta);
  }
};

/// Half of Kaiser's length for a transition band of `width` (of the input Nyquist frequency).
double half_width_for(double width) {
  return (kStopBandDb - 7.95) / (2.285 * std::numbers::pi * width) / 2.0;
}

/// The delay in input samples.
double delay_input(const ResamplerTable& table) {
  return static_cast<double>(table.latency_output) * table.decimation / table.interpolation;
}

void fill_phase(ResamplerTable& table, const Design& design, int phase) {
  const double fraction = static_cast<double>(phase) / table.interpolation;
  const double centre = static_cast<double>(table.taps) - 1.0 + fraction - delay_input(table);
  std::vector<double> values(table.taps);
  for (std::size_t tap = 0; tap < table.taps; ++tap) {
    values[tap] = design.at(static_cast<double>(tap) - centre);
  }
  // Each phase passes a constant exactly: no image of it at multiples of the input rate.
  const double gain = 1.0 / std::accumulate(values.begin(), values.end(), 0.0);
  const std::size_t first_line = static_cast<std::size_t>(phase) * (table.taps / 16);
  for (std::size_t tap = 0; tap < table.taps; ++tap) {
    table.lines[first_line + tap / 16].values[tap % 16] = static_cast<float>(values[tap] * gain);
  }
}

ResamplerTable design_table(int input_rate_hz, int output_rate_hz) {
  const int divisor = std::gcd(input_rate_hz, output_rate_hz);
  ResamplerTable table;
  table.interpolation = output_rate_hz / divisor;
  table.decimation = input_rate_hz / divisor;
  if (table.interpolation == table.decimation) return table;
  const double step = static_cast<double>(table.decimation) / table.interpolation;
  const double nyquist = std::min(1.0, 1.0 / step);  // The lower one, of the input's.
  // A whole number of output samples is never more than half a step from the middle of the taps.
  const double taps = 2.0 * half_width_for((1.0 - kPassBand) * nyquist) + 2.0 + step;
  table.taps = (static_cast<std::size_t>(std::ceil(taps)) + 15) / 16 * 16;
  table.latency_output =
      static_cast<int>(std::lround(static_cast<double>(table.taps) / 2.0 / step));
  const double delay = delay_input(table);
  const Design design{
      .cutoff = nyquist * (1.0 + kPassBand) / 2.0,
      .half_width = std::min(delay - 1.0, static_cast<double>(table.taps) - 1.0 - delay),
      .beta = 0.1102 * (kStopBandDb - 8.7)};
  table.lines.resize(static_cast<std::size_t>(table.interpolation) * (table.taps / 16));
  for (int phase = 0; phase < table.interpolation; ++phase)
    fill_phase(table, design, phase);
  return table;
}

class TableCache {
 public:
  std::shared_ptr<const ResamplerTable> find(std::pair<int, int> rates) {
    const MutexLock lock(mutex_);
    auto& table = tables_[rates];
    if (!table) {
      table = std::make_shared<const ResamplerTable>(design_table(rates.first, rates.second));
    }
    return table;
  }

 private:
  Mutex mutex_;
  // Bounded by the rates that Resampler::create() lets through: 20 pairs, 1.6 MB in all.
  std::map<std::pair<int, int>, std::shared_ptr<const ResamplerTable>> tables_
      QYLON_GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<const ResamplerTable> resampler_table(int input_rate_hz, int output_rate_hz) {
  static TableCache cache;
  return cache.find({input_rate_hz, output_rate_hz});
}

}  // namespace qylon::dsp

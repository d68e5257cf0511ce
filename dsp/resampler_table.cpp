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

const double kBeta = 0.1102 * (kStopBandDb - 8.7);

/// Every other tap of a half-band filter that keeps `band` (of the input Nyquist frequency, below
/// 0.5) free of what folds down onto it. Its delay is one input sample less than their number.
std::vector<float> design_halving(double band) {
  const auto pairs =
      static_cast<std::size_t>(std::ceil((half_width_for(1.0 - 2.0 * band) + 1.0) / 2.0));
  const Design design{.cutoff = 0.5, .half_width = 2.0 * static_cast<double>(pairs), .beta = kBeta};
  std::vector<double> values(2 * pairs);
  for (std::size_t tap = 0; tap < values.size(); ++tap) {
    values[tap] = design.at(2.0 * static_cast<double>(tap) - static_cast<double>(2 * pairs) + 1.0);
  }
  const double gain = 0.5 / std::accumulate(values.begin(), values.end(), 0.0);
  std::vector<float> taps(values.size());
  std::ranges::transform(
      values, taps.begin(), [gain](double value) { return static_cast<float>(value * gain); });
  return taps;
}

/// The sharp filter of a pair, with the delay that its output needs for the whole chain's to be a
/// whole number of output samples.
struct SharpFilter {
  Design design;
  double delay;  // [its input samples]
  int interpolation;
  std::size_t window;

  std::vector<double> phase(int index) const {
    const double fraction = static_cast<double>(index) / interpolation;
    const double centre = static_cast<double>(window) - 1.0 + fraction - delay;
    std::vector<double> values(window);
    for (std::size_t tap = 0; tap < window; ++tap)
      values[tap] = design.at(static_cast<double>(tap) - centre);
    // Each phase passes a constant exactly: no image of it at multiples of the input rate.
    const double gain = 1.0 / std::accumulate(values.begin(), values.end(), 0.0);
    for (double& value : values)
      value *= gain;
    return values;
  }
};

void fill_groups(ResamplerTable& table, const SharpFilter& filter) {
  const auto up = static_cast<std::size_t>(table.interpolation);
  const auto down = static_cast<std::size_t>(table.decimation);
  constexpr std::size_t kGroup = ResamplerTable::kGroup;
  const std::size_t shift_max = ((kGroup - 1) * down + up - 1) / up;
  table.groups = std::lcm(up, kGroup) / kGroup;
  table.span = (table.window + shift_max + 15) / 16 * 16;
  table.lines.resize(table.groups * kGroup * (table.span / 16));
  for (std::size_t output = 0; output < table.groups * kGroup; ++output) {
    const std::size_t group = output / kGroup;
    const std::size_t shift = output * down / up - group * kGroup * down / up;
    const auto values = filter.phase(static_cast<int>(output * down % up));
    for (std::size_t tap = 0; tap < table.window; ++tap) {
      const std::size_t at = shift + tap;
      const std::size_t line = (group * (table.span / 16) + at / 16) * kGroup + output % kGroup;
      table.lines[line].values[at % 16] = static_cast<float>(values[tap]);
    }
  }
}

/// Halves the rate while what is left above the output's band is wide enough for a short filter;
/// returns the delay of that in seconds.
double add_halvings(ResamplerTable& table, double& rate_hz, int output_rate_hz) {
  double delay_s = 0.0;
  while (rate_hz / 2.0 >= 1.3 * output_rate_hz) {
    table.halvings.push_back(design_halving(output_rate_hz / rate_hz));
    delay_s += static_cast<double>(table.halvings.back().size() - 1) / rate_hz;
    rate_hz /= 2.0;
  }
  return delay_s;
}

ResamplerTable design_table(int input_rate_hz, int output_rate_hz) {
  ResamplerTable table;
  double rate_hz = input_rate_hz;
  const double halvings_s = add_halvings(table, rate_hz, output_rate_hz);
  const int doubled_rate_hz = output_rate_hz << table.halvings.size();
  const int divisor = std::gcd(input_rate_hz, doubled_rate_hz);
  table.interpolation = doubled_rate_hz / divisor;
  table.decimation = input_rate_hz / divisor;
  if (table.interpolation == table.decimation) return table;
  const double step = static_cast<double>(table.decimation) / table.interpolation;
  const double nyquist = std::min(1.0, 1.0 / step);  // The lower one, of the filter's input's.
  const double half_width = half_width_for((1.0 - kPassBand) * nyquist);
  // A whole number of output samples is never more than half a step from the middle of the taps.
  table.window = static_cast<std::size_t>(std::ceil(2.0 * half_width + 2.0 + step));
  const double middle = static_cast<double>(table.window) / 2.0 / step;
  const double earlier = halvings_s * output_rate_hz;
  table.latency_output = static_cast<int>(std::lround(middle + earlier));
  const double delay = (table.latency_output - earlier) * step;
  fill_groups(table,
              {.design = {.cutoff = nyquist * (1.0 + kPassBand) / 2.0,
                          .half_width = std::min(delay - 1.0,
                                                 static_cast<double>(table.window) - 1.0 - delay),
                          .beta = kBeta},
               .delay = delay,
               .interpolation = table.interpolation,
               .window = table.window});
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

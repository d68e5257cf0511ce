#include "dsp/log_mel_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <utility>

#include "core/sync.hpp"

namespace qylon::dsp {
namespace {

constexpr double kBinHz = static_cast<double>(LogMel::kRateHz) / LogMel::kFftSize;
constexpr std::size_t kBins = LogMelTable::kBins;

double to_mel(double hz) {
  return 2595.0 * std::log10(1.0 + hz / 700.0);
}
double to_hz(double mel) {
  return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
}

struct Corners {
  double left;
  double centre;
  double right;
};

/// Height in [0, 1] of a triangle at `x`; 0 outside and on its outer corners.
double triangle(const Corners& corners, double x) {
  if (x <= corners.left || x >= corners.right) return 0.0;
  return x <= corners.centre ? (x - corners.left) / (corners.centre - corners.left)
                             : (corners.right - x) / (corners.right - corners.centre);
}

/// Weights of one band over all bins.
std::vector<double> band_weights(const LogMel::Options& options, int band) {
  const double low = to_mel(static_cast<double>(options.f_min_hz));
  const double step = (to_mel(static_cast<double>(options.f_max_hz)) - low) / (options.mels + 1);
  Corners corners = {low + step * band, low + step * (band + 1), low + step * (band + 2)};
  const bool rounded = options.bank == LogMel::Bank::kRoundedCorners;
  if (rounded) {
    for (double* corner : {&corners.left, &corners.centre, &corners.right}) {
      *corner = std::floor((LogMel::kFftSize + 1) * to_hz(*corner) / LogMel::kRateHz);
    }
  }
  std::vector<double> weights(kBins);
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    const auto index = static_cast<double>(bin);
    weights[bin] = triangle(corners, rounded ? index : to_mel(index * kBinHz));
  }
  return weights;
}

std::vector<float> make_window(LogMel::Window kind) {
  if (kind == LogMel::Window::kRectangular) return {};
  std::vector<float> window(LogMel::kFrameSamples);
  for (std::size_t n = 0; n < window.size(); ++n) {
    // Kaldi's forms: periodic over one sample less than the frame; Povey is Hann to the 0.85.
    const double hann = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * static_cast<double>(n) /
                                             (LogMel::kFrameSamples - 1));
    window[n] = static_cast<float>(kind == LogMel::Window::kHann ? hann : std::pow(hann, 0.85));
  }
  return window;
}

Status check(const LogMel::Options& options) {
  const auto refuse = [](const char* message) {
    return Error{ErrorCode::kInvalidArgument, message};
  };
  if (options.mels < 4 || options.mels > 128) return refuse("log-mel mels must lie in [4, 128]");
  if (!(options.f_min_hz >= 0.0F && options.f_min_hz < options.f_max_hz)) {
    return refuse("log-mel f_min_hz must lie in [0, f_max_hz)");
  }
  if (!(options.f_max_hz <= LogMel::kRateHz / 2.0F)) {
    return refuse("log-mel f_max_hz must not exceed 8000");
  }
  if (!(options.pre_emphasis >= 0.0F && options.pre_emphasis < 1.0F)) {
    return refuse("log-mel pre_emphasis must lie in [0, 1)");
  }
  if (!(options.power_min >= std::numeric_limits<float>::min())) {
    return refuse("log-mel power_min must be at least 1.2e-38");
  }
  return ok();
}

using Weights = std::vector<std::vector<double>>;  // Of each band, over all bins.

/// First bin with a weight, and one past the last; the same for a band without any.
std::pair<std::size_t, std::size_t> used_bins(const std::vector<double>& weights) {
  const auto used = [](double weight) { return weight > 0.0; };
  const auto begin = std::ranges::find_if(weights, used);
  const auto end = std::find_if_not(begin, weights.end(), used);
  return {static_cast<std::size_t>(begin - weights.begin()),
          static_cast<std::size_t>(end - weights.begin())};
}

/// Up to eight bands from `first` on.
LogMelTable::Group make_group(const Weights& bands, std::size_t first) {
  constexpr std::size_t kGroup = LogMelTable::kGroup;
  LogMelTable::Group group;
  const std::size_t count = std::min(kGroup, bands.size() - first);
  for (std::size_t i = 0; i < count; ++i) {
    const auto [begin, end] = used_bins(bands[first + i]);
    group.begins[i] = static_cast<std::uint16_t>(begin);
    group.bins = std::max(group.bins, (end - begin + 7) / 8 * 8);
  }
  group.weights.resize(group.bins * kGroup);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < std::min(group.bins, kBins - group.begins[i]); ++k) {
      const double weight = bands[first + i][group.begins[i] + k] / LogMel::kFftSize;
      group.weights[k / 8 * 64 + i * 8 + k % 8] = static_cast<float>(weight);
    }
  }
  return group;
}

Result<std::shared_ptr<const LogMelTable>> make_table(const LogMel::Options& options) {
  if (const Status status = check(options); !status) return status.error();
  auto fft = RealFft::create(LogMel::kFftSize);
  if (!fft) return fft.error();
  Weights bands;
  for (int band = 0; band < options.mels; ++band) {
    bands.push_back(band_weights(options, band));
    const auto [begin, end] = used_bins(bands.back());
    if (begin == end) {
      return Error{ErrorCode::kInvalidArgument,
                   "log-mel band " + std::to_string(band) + " of " + std::to_string(options.mels) +
                       " holds no FFT bin; ask for fewer mels or a wider range"};
    }
  }
  LogMelTable table{.options = options,
                    .fft = *std::move(fft),
                    .window = make_window(options.window),
                    .groups = {}};
  for (std::size_t first = 0; first < bands.size(); first += LogMelTable::kGroup)
    table.groups.push_back(make_group(bands, first));
  return std::make_shared<const LogMelTable>(std::move(table));
}

class TableCache {
 public:
  Result<std::shared_ptr<const LogMelTable>> find(const LogMel::Options& options) {
    const MutexLock lock(mutex_);
    std::erase_if(tables_, [](const auto& table) { return table.expired(); });
    for (const auto& known : tables_) {
      auto table = known.lock();
      if (table && table->options == options) return table;
    }
    auto made = make_table(options);
    if (made) tables_.push_back(*made);
    return made;
  }

 private:
  Mutex mutex_;
  // Bounded by the streams that use them.
  std::vector<std::weak_ptr<const LogMelTable>> tables_ QYLON_GUARDED_BY(mutex_);
};

}  // namespace

Result<std::shared_ptr<const LogMelTable>> log_mel_table(const LogMel::Options& options) {
  static TableCache cache;
  return cache.find(options);
}

}  // namespace qylon::dsp

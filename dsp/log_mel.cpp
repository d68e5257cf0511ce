#include "dsp/log_mel.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <utility>

#include "dsp/kernels.hpp"

namespace qylon::dsp {
namespace {

// Bands are padded with zero weights to whole vectors, so that the dot products have no tails.
constexpr std::size_t kPadding = 8;
constexpr double kBinHz = static_cast<double>(LogMel::kRateHz) / LogMel::kFftSize;
constexpr std::size_t kBins = LogMel::kFftSize / 2 + 1;

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
  if (!(options.power_min > 0.0F)) return refuse("log-mel power_min must be above 0");
  return ok();
}

}  // namespace

LogMel::Options LogMel::Options::python_speech_features() {
  Options options;
  options.f_min_hz = 0.0F;
  options.window = Window::kRectangular;
  options.bank = Bank::kRoundedCorners;
  options.scale = Scale::kDecibel;
  return options;
}

Result<LogMel> LogMel::create(const Options& options) {
  if (const Status status = check(options); !status) return status.error();
  auto fft = RealFft::create(kFftSize);
  if (!fft) return fft.error();
  LogMel mel(options, *std::move(fft));
  for (int band = 0; band < options.mels; ++band) {
    if (!mel.add_band(band_weights(options, band))) {
      return Error{ErrorCode::kInvalidArgument,
                   "log-mel band " + std::to_string(band) + " of " + std::to_string(options.mels) +
                       " holds no FFT bin; ask for fewer mels or a wider range"};
    }
  }
  return mel;
}

LogMel::LogMel(const Options& options, RealFft fft)
    : options_(options),
      fft_(std::move(fft)),
      window_(make_window(options.window)),
      frame_(kFrameSamples),
      windowed_(kFrameSamples),
      power_(kBins + kPadding),
      output_(static_cast<std::size_t>(options.mels)) {}

bool LogMel::add_band(std::span<const double> weights) {
  const auto used = [](double weight) { return weight > 0.0; };
  const auto begin = std::ranges::find_if(weights, used);
  if (begin == weights.end()) return false;
  const auto end = std::find_if_not(begin, weights.end(), used);
  const auto size = static_cast<std::size_t>(end - begin);
  const std::size_t padded = (size + kPadding - 1) / kPadding * kPadding;
  band_begin_.push_back(static_cast<std::uint16_t>(begin - weights.begin()));
  band_size_.push_back(static_cast<std::uint16_t>(padded));
  for (std::size_t i = 0; i < padded; ++i) {
    const double weight = i < size ? begin[static_cast<std::ptrdiff_t>(i)] : 0.0;
    weights_.push_back(static_cast<float>(weight / kFftSize));
  }
  return true;
}

void LogMel::reset() noexcept {
  filled_ = 0;
  last_sample_ = 0.0F;
}

std::size_t LogMel::take(std::span<const float> samples) noexcept {
  const std::size_t count = std::min(samples.size(), kFrameSamples - filled_);
  for (std::size_t i = 0; i < count; ++i) {
    frame_[filled_ + i] = samples[i] - options_.pre_emphasis * last_sample_;
    last_sample_ = samples[i];
  }
  filled_ += count;
  return count;
}

std::span<const float> LogMel::finish_frame() noexcept {
  std::span<const float> frame = frame_;
  if (!window_.empty()) {
    std::ranges::transform(frame_, window_, windowed_.begin(), std::multiplies<>());
    frame = windowed_;
  }
  fft_.power(frame, std::span(power_).first(kBins));
  const Kernels& kernel = kernels();
  // 10 log10(x) = 10 / ln(10) * ln(x)
  const float scale =
      options_.scale == Scale::kDecibel ? 10.0F * std::numbers::log10e_v<float> : 1.0F;
  const float* weights = weights_.data();
  for (std::size_t band = 0; band < output_.size(); ++band) {
    const float energy = kernel.dot(power_.data() + band_begin_[band], weights, band_size_[band]);
    output_[band] = scale * std::log(std::max(energy, options_.power_min));
    weights += band_size_[band];
  }
  std::copy(frame_.begin() + kHopSamples, frame_.end(), frame_.begin());
  filled_ = kFrameSamples - kHopSamples;
  return output_;
}

std::size_t LogMel::frame_count(std::size_t samples, bool pad_last) noexcept {
  if (samples < kFrameSamples) return pad_last && samples > 0 ? 1 : 0;
  const std::size_t after_first = samples - kFrameSamples;
  return 1 + (pad_last ? after_first + kHopSamples - 1 : after_first) / kHopSamples;
}

std::vector<float> LogMel::batch(std::span<const float> samples, bool pad_last) {
  reset();
  const std::size_t frames = frame_count(samples.size(), pad_last);
  std::vector<float> rows;
  rows.reserve(frames * mels());
  const auto add = [&rows](std::span<const float> frame) {
    rows.insert(rows.end(), frame.begin(), frame.end());
  };
  push(samples, add);
  if (rows.size() < frames * mels()) {
    // The zeros follow the pre-emphasis, as in python_speech_features.
    std::fill(frame_.begin() + static_cast<std::ptrdiff_t>(filled_), frame_.end(), 0.0F);
    add(finish_frame());
  }
  reset();
  return rows;
}

}  // namespace qylon::dsp

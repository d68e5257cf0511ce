#include "dsp/voice_activity_features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "dsp/kernels.hpp"

namespace qylon::dsp {
namespace {

// Band edges in bins of 31.25 Hz, 94 Hz to 7.5 kHz, evenly spaced on the mel axis from the place
// where a band would be narrower than three bins.
constexpr std::array<std::size_t, VoiceActivityFeatures::kBands + 1> kEdges =
    {3, 6, 9, 13, 17, 22, 28, 35, 43, 53, 65, 79, 97, 119, 148, 188, 240};
// Total power that counts as silence: -85 dBFS. Keeps digital zero and dither out of the floor.
constexpr float kSilencePower = 3e-9F;
constexpr std::size_t kSubWindowBlocks = 25;
constexpr std::size_t kPitchBins = 129;         // Up to 4 kHz.
constexpr std::size_t kPitchBands = 14;         // Those that begin below 4 kHz.
constexpr std::size_t kLagMin = 32;             // 500 Hz.
constexpr std::size_t kLagMax = 200;            // 80 Hz.
constexpr float kLoudestDecay = 0.01F * 0.23F;  // 1 dB/s in natural log power.

constexpr std::array<float, kPitchBins> kOnes = [] {
  std::array<float, kPitchBins> ones{};
  ones.fill(1.0F);
  return ones;
}();

float squashed(float value) {
  return std::clamp(value, -2.0F, 10.0F) * 0.25F;
}

}  // namespace

Result<VoiceActivityFeatures> VoiceActivityFeatures::create() {
  auto fft = RealFft::create(kFftSize);
  if (!fft) return fft.error();
  return VoiceActivityFeatures(*std::move(fft));
}

VoiceActivityFeatures::VoiceActivityFeatures(RealFft fft) : fft_(std::move(fft)) {
  static const Window kWindow = make_window();
  window_ = &kWindow;
  reset();
}

VoiceActivityFeatures::Window VoiceActivityFeatures::make_window() {
  Window window;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  double energy = 0.0;
  for (std::size_t n = 0; n < kWindowSamples; ++n) {
    const double hann = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi *
                                             (static_cast<double>(n) + 0.5) / kWindowSamples);
    window[n] = static_cast<float>(hann);
    energy += hann * hann;
  }
  // With this, and the factor 2 for the two sides of the spectrum, bins add up to mean power.
  const double scale = std::sqrt(2.0 / (energy * kFftSize));
  for (float& value : window)
    value *= static_cast<float>(scale);
  return window;
}

void VoiceActivityFeatures::reset() noexcept {
  history_.fill(0.0F);
  floor_.fill(kSilencePower / kBands);
  blocks_ = 0;
  loudest_ = std::log(kSilencePower);
  periodicity_ = 0.0F;
  log_lag_ = std::log(static_cast<float>(kLagMin));
  pitch_jump_ = 0.0F;
}

void VoiceActivityFeatures::process(std::span<const float, kBlockSamples> samples,
                                    std::span<float, kCount> features) noexcept {
  std::copy(history_.begin() + kBlockSamples, history_.end(), history_.begin());
  std::ranges::copy(samples, history_.end() - kBlockSamples);
  Spectrum power;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  update_bands(power);
  update_floor();
  update_pitch(power);
  float total = 0.0F;
  float total_floor = 0.0F;
  float mean_log = 0.0F;
  Bands log_power;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  Bands log_floor;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  constexpr float kTiny = std::numeric_limits<float>::min();
  kernels().scaled_log(band_power_.data(), kBands, kTiny, 1.0F, log_power.data());
  kernels().scaled_log(floor_.data(), kBands, kTiny, 1.0F, log_floor.data());
  for (std::size_t band = 0; band < kBands; ++band) {
    total += band_power_[band];
    total_floor += floor_[band];
    mean_log += log_power[band] / kBands;
    features[band] = squashed(log_power[band] - log_floor[band]);
    features[kBands + band] = log_power[band];
  }
  for (std::size_t band = kBands; band < 2 * kBands; ++band) {
    features[band] = squashed(features[band] - mean_log);
  }
  const float level = std::log(total);
  loudest_ = std::max(level, loudest_ - kLoudestDecay);
  const std::span<float, 5> rest = features.last<5>();
  rest[0] = squashed(level - std::log(total_floor));
  rest[1] = std::max(level - loudest_, -10.0F) * 0.25F;
  rest[2] = periodicity_;
  rest[3] = pitch_jump_;
  rest[4] = peakiness(power);
  ++blocks_;
}

void VoiceActivityFeatures::update_bands(Spectrum& power) noexcept {
  std::array<float, kWindowSamples> windowed;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  kernels().multiply(history_.data(), window_->data(), kWindowSamples, windowed.data());
  fft_.power(windowed, power);
  for (std::size_t band = 0; band < kBands; ++band) {
    const std::size_t begin = kEdges[band];
    const float sum = kernels().dot(power.data() + begin, kOnes.data(), kEdges[band + 1] - begin);
    band_power_[band] = kSilencePower / kBands + sum;
  }
}

void VoiceActivityFeatures::update_floor() noexcept {
  const bool first = blocks_ == 0;
  const bool starts = blocks_ % kSubWindowBlocks == 0;
  const std::size_t slot = blocks_ / kSubWindowBlocks % kMinima;
  for (std::size_t band = 0; band < kBands; ++band) {
    float& smooth = smooth_power_[band];
    smooth = first ? band_power_[band] : 0.75F * smooth + 0.25F * band_power_[band];
    running_minimum_[band] = starts ? smooth : std::min(running_minimum_[band], smooth);
    if (first) {
      for (Bands& minimum : minima_)
        minimum[band] = smooth;
    }
    minima_[slot][band] = running_minimum_[band];
    float lowest = smooth;
    for (const Bands& minimum : minima_)
      lowest = std::min(lowest, minimum[band]);
    floor_[band] = lowest;
  }
}

void VoiceActivityFeatures::update_pitch(const Spectrum& power) noexcept {
  // The square root of the power over the noise floor, taken as one half of an even signal: its
  // transform is the autocorrelation of a sound with a flattened spectrum.
  std::array<float, kPitchBins> noise;     // NOLINT(cppcoreguidelines-pro-type-member-init)
  std::array<float, kPitchBins> spectrum;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (std::size_t band = 0; band < kPitchBands; ++band) {
    const auto width = static_cast<float>(kEdges[band + 1] - kEdges[band]);
    std::fill(noise.begin() + kEdges[band],
              noise.begin() + std::min(kEdges[band + 1], kPitchBins),
              2.0F * floor_[band] / width);
  }
  spectrum.fill(0.0F);
  kernels().root_above(power.data() + kEdges[0],
                       noise.data() + kEdges[0],
                       kPitchBins - kEdges[0],
                       spectrum.data() + kEdges[0]);
  std::array<float, kBins> correlation;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  fft_.cosine(spectrum, correlation);
  const auto best =
      std::max_element(correlation.begin() + kLagMin, correlation.begin() + kLagMax + 1);
  periodicity_ = correlation[0] > 0.0F ? *best / correlation[0] : 0.0F;
  const float log_lag = std::log(static_cast<float>(best - correlation.begin()));
  pitch_jump_ = std::min(std::abs(log_lag - log_lag_), 1.0F);
  log_lag_ = log_lag;
}

float VoiceActivityFeatures::peakiness(const Spectrum& power) noexcept {
  const float* const begin = power.data() + kEdges.front();
  constexpr std::size_t kUsed = kPitchBins - kEdges.front();
  float sum = kSilencePower;
  for (std::size_t i = 0; i < kUsed; ++i)
    sum += begin[i];
  const float squares = kernels().dot(begin, begin, kUsed);
  // 0 for one single peak, -1 for a flat spectrum.
  return std::log(std::max(squares / (sum * sum), 1.0F / kUsed)) /
         std::log(static_cast<float>(kUsed));
}

}  // namespace qylon::dsp

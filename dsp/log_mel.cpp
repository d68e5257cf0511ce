#include "dsp/log_mel.hpp"

#include <algorithm>
#include <array>
#include <numbers>
#include <utility>

#include "dsp/kernels.hpp"
#include "dsp/log_mel_table.hpp"

namespace qylon::dsp {

LogMel::Options LogMel::Options::python_speech_features() {
  Options options;
  options.f_min_hz = 0.0F;
  options.window = Window::kRectangular;
  options.bank = Bank::kRoundedCorners;
  options.scale = Scale::kDecibel;
  return options;
}

Result<LogMel> LogMel::create(const Options& options) {
  auto table = log_mel_table(options);
  if (!table) return table.error();
  return LogMel(*std::move(table));
}

LogMel::LogMel(std::shared_ptr<const LogMelTable> table)
    : table_(std::move(table)),
      mels_(static_cast<std::size_t>(table_->options.mels)),
      frame_(kFrameSamples),
      output_(table_->groups.size() * LogMelTable::kGroup) {}

void LogMel::reset() noexcept {
  filled_ = 0;
  last_sample_ = 0.0F;
}

std::size_t LogMel::take(std::span<const float> samples) noexcept {
  const std::size_t count = std::min(samples.size(), kFrameSamples - filled_);
  const float factor = table_->options.pre_emphasis;
  const std::array<float, 2> seam = {last_sample_, samples.front()};
  kernels().difference(seam.data() + 1, factor, 1, frame_.data() + filled_);
  kernels().difference(samples.data() + 1, factor, count - 1, frame_.data() + filled_ + 1);
  last_sample_ = samples[count - 1];
  filled_ += count;
  return count;
}

std::span<const float> LogMel::finish_frame() noexcept {
  constexpr std::size_t kBins = LogMelTable::kBins;
  const Kernels& kernel = kernels();
  std::array<float, kFrameSamples> windowed;  // NOLINT(*-member-init): written before it is read.
  std::span<const float> frame = frame_;
  if (!table_->window.empty()) {
    kernel.multiply(frame_.data(), table_->window.data(), kFrameSamples, windowed.data());
    frame = windowed;
  }
  // Bands read past the last bin, with no weight: as far as the widest of their group.
  std::array<float, 2 * kBins + 8> power;  // NOLINT(*-member-init)
  table_->fft.power(frame, std::span(power).first(kBins));
  std::fill(power.begin() + kBins, power.end(), 0.0F);
  float* out = output_.data();
  for (const LogMelTable::Group& group : table_->groups) {
    kernel.dot_bands(power.data(), group.begins.data(), group.weights.data(), group.bins, out);
    out += LogMelTable::kGroup;
  }
  // 10 log10(x) = 10 / ln(10) * ln(x)
  const bool decibel = table_->options.scale == Scale::kDecibel;
  const float scale = decibel ? 10.0F * std::numbers::log10e_v<float> : 1.0F;
  kernel.scaled_log(output_.data(), mels_, table_->options.power_min, scale, output_.data());
  std::copy(frame_.begin() + kHopSamples, frame_.end(), frame_.begin());
  filled_ = kFrameSamples - kHopSamples;
  return std::span(output_).first(mels_);
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

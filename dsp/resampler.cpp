#include "dsp/resampler.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "core/check.hpp"
#include "dsp/kernels.hpp"
#include "dsp/resampler_table.hpp"

namespace qylon::dsp {
namespace {

constexpr std::array kInputRates =
    {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000};
// Inputs taken at a time; with the taps of the longest filter the history stays below 8 kB.
constexpr std::size_t kChunkSamples = 960;

}  // namespace

Result<Resampler> Resampler::create(const Options& options) {
  if (std::ranges::find(kInputRates, options.input_rate_hz) == kInputRates.end()) {
    return Error{ErrorCode::kInvalidArgument,
                 "sample rate " + std::to_string(options.input_rate_hz) +
                     " Hz is not one of 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, "
                     "48000, 96000"};
  }
  if (options.output_rate_hz != 16000 && options.output_rate_hz != 48000) {
    return Error{
        ErrorCode::kInvalidArgument,
        "a resampler's output is 16000 or 48000 Hz, not " + std::to_string(options.output_rate_hz)};
  }
  auto table = resampler_table(options.input_rate_hz, options.output_rate_hz);
  const std::size_t history = table->taps == 0 ? 0 : table->taps + kChunkSamples;
  return Resampler(std::move(table), history);
}

Resampler::Resampler(std::shared_ptr<const ResamplerTable> table, std::size_t history_samples)
    : table_(std::move(table)), history_(history_samples) {
  reset();
}

std::size_t Resampler::output_samples_max(std::size_t input_samples) const noexcept {
  const auto up = static_cast<std::size_t>(table_->interpolation);
  const auto down = static_cast<std::size_t>(table_->decimation);
  return (input_samples * up + down - 1) / down;
}

double Resampler::latency_samples() const noexcept {
  return table_->latency_output;
}

void Resampler::reset() noexcept {
  if (table_->taps == 0) return;
  filled_ = table_->taps - 1;  // Output 0 ends at input 0: before it lies silence.
  position_ = 0;
  phase_ = 0;
  std::fill_n(history_.begin(), filled_, 0.0F);
}

std::size_t Resampler::process(std::span<const float> input, std::span<float> output) noexcept {
  QYLON_CHECK(output.size() >= output_samples_max(input.size()));
  if (table_->taps == 0) {
    std::ranges::copy(input, output.begin());
    return input.size();
  }
  std::size_t written = 0;
  while (!input.empty()) {
    const std::size_t count = std::min(input.size(), history_.size() - filled_);
    std::copy_n(input.begin(), count, history_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += count;
    input = input.subspan(count);
    written += drain(output.subspan(written));
  }
  return written;
}

/// Outputs whose windows lie within the samples so far.
std::size_t Resampler::ready() const noexcept {
  if (position_ + table_->taps > filled_) return 0;
  // Output k from here begins at position_ + floor((phase_ + k * down) / up).
  const std::size_t spare = filled_ - table_->taps - position_;
  const auto up = static_cast<std::size_t>(table_->interpolation);
  const auto down = static_cast<std::size_t>(table_->decimation);
  return ((spare + 1) * up - 1 - static_cast<std::size_t>(phase_)) / down + 1;
}

void Resampler::advance() noexcept {
  const int moved = phase_ + table_->decimation;
  position_ += static_cast<std::size_t>(moved / table_->interpolation);
  phase_ = moved % table_->interpolation;
}

/// Outputs `interpolation` apart have the same phase and windows `decimation` apart: a group of two
/// or four of them shares one reading of the taps, which is what bounds the speed. Writes as many
/// whole groups of all phases as `count` allows.
std::size_t Resampler::drain_groups(std::size_t group,
                                    std::size_t count,
                                    std::span<float> output) noexcept {
  const auto dot = group == 4 ? kernels().dot_quad : kernels().dot_pair;
  const auto up = static_cast<std::size_t>(table_->interpolation);
  const auto down = static_cast<std::size_t>(table_->decimation);
  std::array<float, 4> together{};
  std::size_t written = 0;
  for (; written + group * up <= count; written += group * up) {
    for (std::size_t i = written; i < written + up; ++i, advance()) {
      const float* const window = history_.data() + position_;
      dot(window, down, table_->phase(phase_), table_->taps, together.data());
      for (std::size_t k = 0; k < group; ++k)
        output[i + k * up] = together[k];
    }
    position_ += (group - 1) * down;
  }
  return written;
}

std::size_t Resampler::drain(std::span<float> output) noexcept {
  const std::size_t count = ready();
  std::size_t written = drain_groups(4, count, output);
  written += drain_groups(2, count - written, output.subspan(written));
  const auto dot = kernels().dot;
  for (; written < count; ++written, advance()) {
    output[written] = dot(history_.data() + position_, table_->phase(phase_), table_->taps);
  }
  // position_ may lie past filled_ by up to a step; those samples are still to come.
  const std::size_t used = std::min(position_, filled_);
  std::copy(history_.begin() + static_cast<std::ptrdiff_t>(used),
            history_.begin() + static_cast<std::ptrdiff_t>(filled_),
            history_.begin());
  filled_ -= used;
  position_ -= used;
  return written;
}

}  // namespace qylon::dsp

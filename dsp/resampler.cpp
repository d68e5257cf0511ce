#include "dsp/resampler.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "core/check.hpp"
#include "dsp/kernels.hpp"
#include "dsp/resampler_table.hpp"

namespace qylon::dsp {
namespace {

/// Those with tables.
constexpr std::array kInputRates =
    {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000};
// Inputs taken at a time; with the longest filter the history stays below 7 kB.
constexpr std::size_t kChunkSamples = 960;

}  // namespace

Result<Resampler> Resampler::create(const Options& options) {
  if (options.input_rate_hz < kInputRateHzMin || options.input_rate_hz > kInputRateHzMax) {
    return Error{
        ErrorCode::kInvalidArgument,
        "a resampler's input is 4000..192000 Hz, not " + std::to_string(options.input_rate_hz)};
  }
  if (options.output_rate_hz != 16000 && options.output_rate_hz != 48000) {
    return Error{
        ErrorCode::kInvalidArgument,
        "a resampler's output is 16000 or 48000 Hz, not " + std::to_string(options.output_rate_hz)};
  }
  if (std::ranges::find(kInputRates, options.input_rate_hz) == kInputRates.end()) {
    auto any_rate = AnyRateResampler::create({options.input_rate_hz, options.output_rate_hz});
    if (!any_rate) return Error{ErrorCode::kUnavailable, "no memory for a resampler"};
    return Resampler(std::move(any_rate));
  }
  auto table = resampler_table(options.input_rate_hz, options.output_rate_hz);
  return Resampler(std::move(table));
}

Resampler::Resampler(std::shared_ptr<const ResamplerTable> table) : table_(std::move(table)) {
  for (const auto& taps : table_->halvings)
    halvings_.emplace_back(taps, kChunkSamples);
  // A group that has only begun is computed with what lies behind the newest sample, too: there its
  // later outputs read, and those that are due multiply it with zero.
  if (table_->window > 0) history_.resize(table_->window + kChunkSamples + table_->span);
  reset();
}

std::size_t Resampler::output_samples_max(std::size_t input_samples) const noexcept {
  if (any_rate_) return any_rate_->output_samples_max(input_samples);
  const auto up = static_cast<std::size_t>(table_->interpolation);
  const auto down = static_cast<std::size_t>(table_->decimation) << table_->halvings.size();
  return (input_samples * up + down - 1) / down;
}

double Resampler::latency_samples() const noexcept {
  return any_rate_ ? static_cast<double>(any_rate_->latency_samples()) : table_->latency_output;
}

void Resampler::reset() noexcept {
  if (any_rate_) return any_rate_->reset();
  if (table_->window == 0) return;
  for (HalfBand& halving : halvings_)
    halving.reset();
  filled_ = table_->window - 1;  // Output 0 ends at input 0: before it lies silence.
  position_ = group_ = given_ = 0;
  taken_total_ = given_total_ = 0;
  std::ranges::fill(history_, 0.0F);
}

std::size_t Resampler::process(std::span<const float> input, std::span<float> output) noexcept {
  if (any_rate_) return any_rate_->process(input, output);
  QYLON_CHECK(output.size() >= output_samples_max(input.size()));
  if (table_->window == 0) {
    std::ranges::copy(input, output.begin());
    return input.size();
  }
  std::array<float, kChunkSamples> halved;  // NOLINT(*-member-init): written before it is read.
  std::size_t written = 0;
  while (!input.empty()) {
    auto chunk = input.first(std::min(input.size(), kChunkSamples));
    const std::size_t taken = chunk.size();
    input = input.subspan(taken);
    for (HalfBand& halving : halvings_)
      chunk = std::span(halved).first(halving.process(chunk, halved));
    std::ranges::copy(chunk, history_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += chunk.size();
    taken_total_ += taken;
    written += drain(output.subspan(written));
  }
  return written;
}

std::size_t Resampler::drain(std::span<float> output) noexcept {
  constexpr std::size_t kGroup = ResamplerTable::kGroup;
  const auto dot_eight = kernels().dot_eight;
  const auto up = static_cast<std::size_t>(table_->interpolation);
  const auto down = static_cast<std::size_t>(table_->decimation);
  // Every output whose time has come has its samples: halvings are ahead by less than one.
  const auto due = static_cast<std::size_t>(output_samples_max(taken_total_) - given_total_);
  std::size_t written = 0;
  while (written < due) {
    const std::size_t count = std::min(kGroup - given_, due - written);
    std::array<float, kGroup> partial{};
    float* const to = count == kGroup ? output.data() + written : partial.data();
    dot_eight(history_.data() + position_, table_->group(group_), table_->span, to);
    if (count < kGroup) std::copy_n(partial.begin() + given_, count, output.begin() + written);
    written += count;
    given_ += count;
    if (given_ < kGroup) break;
    given_ = 0;
    position_ += (group_ + 1) * kGroup * down / up - group_ * kGroup * down / up;
    group_ = (group_ + 1) % table_->groups;
  }
  given_total_ += written;
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

#include "dsp/any_rate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <samplerate.h>

#include "core/check.hpp"

namespace qylon::dsp {
namespace {

constexpr int kQuality = SRC_SINC_MEDIUM_QUALITY;
/// Half of its filter, in samples of the lower rate: 22,438 coefficients, 491 a sample.
constexpr double kHalfFilter = 22438.0 / 491.0;
constexpr std::size_t kChunkSamples = 256;

/// By how much the converter's output lags: an output needs half a filter of later input; it counts
/// whole samples of input, and may hold one back.
std::size_t latency_of(const AnyRateResampler::Options& options) {
  const double ratio = static_cast<double>(options.output_rate_hz) / options.input_rate_hz;
  const double inputs = kHalfFilter * std::max(1.0, 1.0 / ratio) + 3.0;
  return static_cast<std::size_t>(std::ceil(inputs * ratio)) + 2;
}

}  // namespace

void AnyRateResampler::Delete::operator()(SRC_STATE_tag* converter) const noexcept {
  src_delete(converter);
}

std::unique_ptr<AnyRateResampler> AnyRateResampler::create(const Options& options) {
  int error = 0;
  std::unique_ptr<SRC_STATE_tag, Delete> converter(src_new(kQuality, 1, &error));
  if (!converter) return nullptr;
  return std::unique_ptr<AnyRateResampler>(new AnyRateResampler(options, std::move(converter)));
}

AnyRateResampler::AnyRateResampler(const Options& options,
                                   std::unique_ptr<SRC_STATE_tag, Delete> converter)
    : options_(options), latency_(latency_of(options)), converter_(std::move(converter)) {
  // What is not due yet, and what a chunk adds.
  waiting_.resize(2 * latency_ + output_samples_max(kChunkSamples) + 2);
  reset();
}

std::size_t AnyRateResampler::output_samples_max(std::size_t input_samples) const noexcept {
  const auto up = static_cast<std::size_t>(options_.output_rate_hz);
  const auto down = static_cast<std::size_t>(options_.input_rate_hz);
  return (input_samples * up + down - 1) / down;
}

void AnyRateResampler::reset() noexcept {
  src_reset(converter_.get());
  std::fill_n(waiting_.begin(), latency_, 0.0F);
  filled_ = latency_;
  taken_total_ = given_total_ = 0;
}

void AnyRateResampler::convert(std::span<const float> input) noexcept {
  while (!input.empty()) {
    SRC_DATA data{};
    data.data_in = input.data();
    data.input_frames = static_cast<long>(input.size());
    data.data_out = waiting_.data() + filled_;
    data.output_frames = static_cast<long>(waiting_.size() - filled_);
    data.src_ratio = static_cast<double>(options_.output_rate_hz) / options_.input_rate_hz;
    QYLON_CHECK(src_process(converter_.get(), &data) == 0);
    QYLON_CHECK(data.input_frames_used > 0);
    input = input.subspan(static_cast<std::size_t>(data.input_frames_used));
    filled_ += static_cast<std::size_t>(data.output_frames_gen);
  }
}

std::size_t AnyRateResampler::process(std::span<const float> input,
                                      std::span<float> output) noexcept {
  QYLON_CHECK(output.size() >= output_samples_max(input.size()));
  std::size_t written = 0;
  while (!input.empty()) {
    const auto chunk = input.first(std::min(input.size(), kChunkSamples));
    input = input.subspan(chunk.size());
    convert(chunk);
    taken_total_ += chunk.size();
    const auto due = static_cast<std::size_t>(output_samples_max(taken_total_) - given_total_);
    QYLON_CHECK(filled_ >= due);
    const auto begin = waiting_.begin();
    std::copy_n(begin, due, output.begin() + static_cast<std::ptrdiff_t>(written));
    std::copy(begin + static_cast<std::ptrdiff_t>(due),
              begin + static_cast<std::ptrdiff_t>(filled_),
              begin);
    filled_ -= due;
    written += due;
    given_total_ += due;
  }
  return written;
}

}  // namespace qylon::dsp

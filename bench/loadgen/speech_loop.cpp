#include "bench/loadgen/speech_loop.hpp"

#include <cmath>
#include <numbers>
#include <random>

#include "media/opus_encoder.hpp"

namespace qylon::loadgen {
namespace {

constexpr int kRateHz = 16'000;
constexpr std::size_t kLoopSamples = std::size_t{20} * kRateHz;
constexpr int kHarmonics = 20;

float voice_sample(double t_s, double pitch_hz) {
  const double syllable = 0.55 + 0.45 * std::sin(2 * std::numbers::pi * 4.0 * t_s);
  double value = 0.0;
  for (int harmonic = 1; harmonic <= kHarmonics; ++harmonic) {
    const double hz = pitch_hz * harmonic;
    value += std::sin(2 * std::numbers::pi * hz * t_s) / (1.0 + std::pow(hz / 700.0, 2));
  }
  return static_cast<float>(0.08 * syllable * value);
}

/// Phrases and pauses; a whole pause ends the loop, so that it joins its own beginning.
std::vector<float> synthesise(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto between = [&random](std::int64_t low_ms, std::int64_t high_ms) {
    const auto span = static_cast<std::uint64_t>(high_ms - low_ms);
    return static_cast<std::size_t>(low_ms + static_cast<std::int64_t>(random() % span)) * kRateHz /
           1000;
  };
  const double pitch_hz = 100.0 + static_cast<double>(random() % 120);
  std::vector<float> samples(kLoopSamples, 0.0F);
  for (std::size_t at = between(200, 900);;) {
    const std::size_t end = at + between(1200, 2600);
    if (end + std::size_t{kRateHz} > kLoopSamples) return samples;
    for (; at < end; ++at)
      samples[at] = voice_sample(static_cast<double>(at) / kRateHz, pitch_hz);
    at += between(800, 1200);
  }
}

}  // namespace

Result<SpeechLoop> SpeechLoop::create(std::uint64_t seed) {
  auto encoder = media::OpusPacketEncoder::create({.sample_rate_hz = kRateHz, .complexity = 1});
  if (!encoder) return Error{ErrorCode::kInternal, encoder.error().message};
  const std::vector<float> samples = synthesise(seed);
  SpeechLoop loop;
  const std::size_t frame = encoder->frame_samples();
  for (std::size_t at = 0; at + frame <= samples.size(); at += frame) {
    const auto packet = encoder->encode(std::span(samples).subspan(at, frame));
    loop.packets_.emplace_back(packet.begin(), packet.end());
  }
  return loop;
}

}  // namespace qylon::loadgen

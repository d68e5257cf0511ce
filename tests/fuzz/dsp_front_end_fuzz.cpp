// Any samples in blocks of any size: what comes out is counted exactly, finite and within bounds.
// Byte 0 chooses the rate, byte 1 the channels, byte 2 the block size; the rest is float32 PCM.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/check.hpp"
#include "dsp/highpass.hpp"
#include "dsp/level.hpp"
#include "dsp/log_mel.hpp"
#include "dsp/loudness.hpp"
#include "dsp/pcm.hpp"
#include "dsp/resampler.hpp"
#include "dsp/voice_activity.hpp"

namespace qylon::dsp {
namespace {

constexpr std::array kRates = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000};

std::vector<float> read_mono(std::span<const std::uint8_t> bytes, int channels) {
  std::vector<float> samples(bytes.size() / 4);
  f32le_to_float(bytes, samples);
  for (const float sample : samples)
    QYLON_CHECK(std::abs(sample) <= 1.0F);
  const std::size_t frames = samples.size() / static_cast<std::size_t>(channels);
  mix_to_mono(std::span<const float>(samples).first(frames * static_cast<std::size_t>(channels)),
              channels,
              std::span(samples).first(frames));
  samples.resize(frames);
  return samples;
}

std::vector<float> resample(int rate_hz, std::size_t block, std::span<const float> samples) {
  auto resampler = *Resampler::create({.input_rate_hz = rate_hz});
  std::vector<float> output;
  std::vector<float> room(resampler.output_samples_max(block));
  const std::size_t expected = resampler.output_samples_max(samples.size());
  while (!samples.empty()) {
    const auto head = samples.first(std::min(block, samples.size()));
    const std::size_t written = resampler.process(head, room);
    output.insert(output.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(written));
    samples = samples.subspan(head.size());
  }
  QYLON_CHECK(output.size() == expected);
  return output;
}

void measure(std::span<float> samples, std::size_t block) {
  auto highpass = *Highpass::create({});
  highpass.process(samples);
  auto mel = *LogMel::create({});
  std::size_t frames = 0;
  for (std::size_t at = 0; at < samples.size(); at += block) {
    const auto part = samples.subspan(at, std::min(block, samples.size() - at));
    mel.push(part, [&frames](std::span<const float> frame) {
      ++frames;
      for (const float value : frame)
        QYLON_CHECK(std::isfinite(value));
    });
  }
  QYLON_CHECK(frames == LogMel::frame_count(samples.size(), false));
  auto activity = *VoiceActivity::create();
  auto loudness = *Loudness::create();
  for (std::size_t at = 0; at + 160 <= samples.size(); at += 160) {
    const std::span<const float, 160> part(&samples[at], 160);
    const float probability = activity.process(part);
    QYLON_CHECK(probability >= 0.0F && probability <= 1.0F);
    QYLON_CHECK(std::abs(loudness.process(part)) <= 20.0F);
    const Level level = measure_level(part);
    QYLON_CHECK(level.rms_dbfs >= -100.0F && level.peak_dbfs >= level.rms_dbfs - 0.01F);
  }
}

}  // namespace
}  // namespace qylon::dsp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3 || size > 65536) return 0;
  const int rate_hz = qylon::dsp::kRates[data[0] % qylon::dsp::kRates.size()];
  const int channels = 1 + data[1] % 4;
  const std::size_t block = 1 + std::size_t{data[2]} * 7;
  const auto samples = qylon::dsp::read_mono(std::span(data, size).subspan(3), channels);
  auto resampled = qylon::dsp::resample(rate_hz, block, samples);
  qylon::dsp::measure(resampled, block);
  return 0;
}

/// Cost of each stage between decoded audio and the diarizer, per 10 ms block of one stream.
/// QYLON_ISA chooses the kernels; divide nanoseconds by 10,000 for milliseconds a stream-second.

#include <cmath>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include "dsp/fft.hpp"
#include "dsp/highpass.hpp"
#include "dsp/level.hpp"
#include "dsp/log_mel.hpp"
#include "dsp/loudness.hpp"
#include "dsp/voice_activity.hpp"

namespace qylon::dsp {
namespace {

std::vector<float> sound() {
  std::vector<float> samples(160);
  for (std::size_t n = 0; n < samples.size(); ++n) {
    samples[n] = static_cast<float>(0.1 * std::sin(0.05 * static_cast<double>(n * n)));
  }
  return samples;
}

void fft_512(benchmark::State& state) {
  const RealFft fft = *RealFft::create(512);
  const std::vector<float> input(512, 0.5F);
  std::vector<float> power(fft.bins());
  for (auto _ : state) {
    fft.power(input, power);
    benchmark::DoNotOptimize(power.data());
  }
}
BENCHMARK(fft_512);

void log_mel_40(benchmark::State& state) {
  auto mel = *LogMel::create(LogMel::Options::python_speech_features());
  const std::vector<float> block = sound();
  for (auto _ : state) {
    mel.push(block, [](std::span<const float> row) { benchmark::DoNotOptimize(row.data()); });
  }
}
BENCHMARK(log_mel_40);

void highpass(benchmark::State& state) {
  auto filter = *Highpass::create({});
  std::vector<float> block = sound();
  for (auto _ : state) {
    filter.process(block);
    benchmark::DoNotOptimize(block.data());
  }
}
BENCHMARK(highpass);

void level(benchmark::State& state) {
  const std::vector<float> block = sound();
  for (auto _ : state)
    benchmark::DoNotOptimize(measure_level(block));
}
BENCHMARK(level);

void loudness(benchmark::State& state) {
  auto meter = *Loudness::create();
  const std::vector<float> block = sound();
  for (auto _ : state)
    benchmark::DoNotOptimize(meter.process(block));
}
BENCHMARK(loudness);

void voice_activity(benchmark::State& state) {
  auto activity = *VoiceActivity::create();
  const std::vector<float> block = sound();
  for (auto _ : state) {
    benchmark::DoNotOptimize(activity.process(std::span<const float, 160>(block.data(), 160)));
  }
}
BENCHMARK(voice_activity);

}  // namespace
}  // namespace qylon::dsp

BENCHMARK_MAIN();

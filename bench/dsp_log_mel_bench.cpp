/// One log-mel frame (25 ms every 10 ms at 16 kHz, 80 bands) against FFTW + sparse bank + logf in
/// the same run; target: at most 0.75 times its time.
///
/// Thread CPU time, interleaved rounds, medians; for one stream and for 300 streams in turn.
/// QYLON_ISA chooses our kernels; the peer's loops are compiled for AVX2 and fast maths.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>
#include <numbers>
#include <span>
#include <string>
#include <vector>

#include <fftw3.h>

#include "dsp/isa.hpp"
#include "dsp/log_mel.hpp"

namespace qylon::dsp {
namespace {

#define QYLON_PEER __attribute__((target("avx2,fma"), optimize("O3", "fast-math")))

constexpr int kMels = 80;
constexpr std::size_t kFrame = LogMel::kFrameSamples;
constexpr std::size_t kHop = LogMel::kHopSamples;
constexpr std::size_t kFft = LogMel::kFftSize;
constexpr int kRounds = 9;
constexpr int kFrames = 3000;

/// One band of the bank: its first bin and its weights.
struct Band {
  std::size_t begin = 0;
  std::vector<float> weights;
};

/// Kaldi's triangles over 20..8000 Hz.
std::vector<Band> bank() {
  const auto mel = [](double hz) { return 1127.0 * std::log(1.0 + hz / 700.0); };
  const double low = mel(20.0);
  const double step = (mel(8000.0) - low) / (kMels + 1);
  std::vector<Band> bands(kMels);
  for (std::size_t band = 0; band < bands.size(); ++band) {
    const double centre = low + step * static_cast<double>(band + 1);
    for (std::size_t bin = 0; bin <= kFft / 2; ++bin) {
      const double height = 1.0 - std::abs(mel(31.25 * static_cast<double>(bin)) - centre) / step;
      if (height <= 0.0) continue;
      if (bands[band].weights.empty()) bands[band].begin = bin;
      bands[band].weights.push_back(static_cast<float>(height));
    }
  }
  return bands;
}

struct Plan {
  std::vector<float> in = std::vector<float>(kFft);
  std::vector<float> out = std::vector<float>(kFft + 2);
  fftwf_plan plan = fftwf_plan_dft_r2c_1d(kFft,
                                          in.data(),
                                          reinterpret_cast<fftwf_complex*>(out.data()),
                                          FFTW_MEASURE);
};

/// The peer: the plan, window and bank are shared by all streams, as ours are.
class Peer {
 public:
  QYLON_PEER void push(std::span<const float> hop, std::vector<float>& mels) {
    static Plan plan;
    static const std::vector<Band> kBank = bank();
    static const std::vector<float> kWindow = [] {
      std::vector<float> window(kFrame);
      for (std::size_t n = 0; n < kFrame; ++n) {
        const double turn = 2.0 * std::numbers::pi * static_cast<double>(n) / (kFrame - 1);
        window[n] = static_cast<float>(std::pow(0.5 - 0.5 * std::cos(turn), 0.85));
      }
      return window;
    }();
    std::copy(frame_.begin() + kHop, frame_.end(), frame_.begin());
    for (std::size_t n = 0; n < kHop; ++n) {
      frame_[kFrame - kHop + n] = hop[n] - 0.97F * last_;
      last_ = hop[n];
    }
    for (std::size_t n = 0; n < kFrame; ++n)
      plan.in[n] = frame_[n] * kWindow[n];
    fftwf_execute(plan.plan);
    for (std::size_t bin = 0; bin <= kFft / 2; ++bin) {
      power_[bin] =
          plan.out[2 * bin] * plan.out[2 * bin] + plan.out[2 * bin + 1] * plan.out[2 * bin + 1];
    }
    for (std::size_t band = 0; band < kMels; ++band) {
      float energy = 0.0F;
      for (std::size_t i = 0; i < kBank[band].weights.size(); ++i)
        energy += kBank[band].weights[i] * power_[kBank[band].begin + i];
      mels[band] = std::log(std::max(energy, 1e-10F));
    }
  }

 private:
  std::vector<float> frame_ = std::vector<float>(kFrame);
  std::vector<float> power_ = std::vector<float>(kFft / 2 + 1);
  float last_ = 0.0F;
};

double thread_cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

template <typename PushFn>
double ns_per_frame(PushFn&& push) {
  const double start = thread_cpu_ns();
  for (int frame = 0; frame < kFrames; ++frame)
    push(static_cast<std::size_t>(frame));
  return (thread_cpu_ns() - start) / kFrames;
}

void compare(std::size_t streams) {
  std::vector<LogMel> ours;
  std::vector<Peer> peers(streams);
  for (std::size_t i = 0; i < streams; ++i)
    ours.push_back(*LogMel::create({.mels = kMels}));
  std::vector<float> hop(kHop);
  for (std::size_t n = 0; n < kHop; ++n)
    hop[n] = static_cast<float>(0.1 * std::sin(0.05 * static_cast<double>(n * n)));
  std::vector<float> mels(kMels);
  float sum = 0.0F;
  std::vector<double> our_ns;
  std::vector<double> peer_ns;
  for (int round = 0; round < kRounds; ++round) {
    our_ns.push_back(ns_per_frame([&](std::size_t frame) {
      ours[frame % streams].push(hop, [&sum](std::span<const float> row) { sum += row[7]; });
    }));
    peer_ns.push_back(ns_per_frame([&](std::size_t frame) {
      peers[frame % streams].push(hop, mels);
      sum += mels[7];
    }));
  }
  std::printf(
      "%3zu streams  %6.1f ns a frame, FFTW + sparse bank + logf %6.1f ns: %.2f times  (%g)\n",
      streams,
      median(our_ns),
      median(peer_ns),
      median(our_ns) / median(peer_ns),
      static_cast<double>(sum));
}

}  // namespace
}  // namespace qylon::dsp

int main() {
  std::printf("kernels: %s\n", std::string(qylon::dsp::isa_name(qylon::dsp::active_isa())).c_str());
  qylon::dsp::compare(1);
  qylon::dsp::compare(300);
  return 0;
}

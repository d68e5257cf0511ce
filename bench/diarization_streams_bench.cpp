// What telling voices apart costs a meeting of one mixed track, with 300 of them taking turns on
// one thread: CPU time for a second of speech, embedding included, and memory that each takes.

#include <array>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <vector>

#include <unistd.h>

#include "diarization/voice_tracker.hpp"
#include "tests/support/synthetic_voices.hpp"

namespace qylon::diarization {
namespace {

constexpr int kStreams = 300;
constexpr std::size_t kWarmUpBlocks = 200;  // Until every stream has windows.
constexpr std::size_t kBlocks = 700;
constexpr double kBlock_s = 0.01;
constexpr double kTargetMs = 3;

struct Stream {
  explicit Stream(const std::shared_ptr<const EmbeddingModel>& model)
      : clusters(std::make_unique<VoiceClusters>(model)),
        tracker(std::make_unique<VoiceTracker>(*clusters)) {}

  std::unique_ptr<VoiceClusters> clusters;
  std::unique_ptr<VoiceTracker> tracker;
};

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

/// Two people who take turns every 3 s.
std::vector<float> conversation() {
  std::vector<float> out;
  constexpr std::array<double, 2> kPitch{110, 205};
  for (unsigned turn = 0; turn < 3; ++turn) {
    const double pitch = kPitch[turn % 2];
    const auto part = synthetic_speech(3, pitch, pitch > 150 ? 1.17 : 1.0, turn);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

int run() {
  const auto model = EmbeddingModel::load_default();
  if (!model) return 1;
  const std::vector<float> sound = conversation();
  const double before_mib = resident_mib();
  std::vector<Stream> streams;
  for (int i = 0; i < kStreams; ++i)
    streams.emplace_back(*model);
  double started_ms = 0;
  for (std::size_t block = 0; block < kBlocks; ++block) {
    if (block == kWarmUpBlocks) started_ms = cpu_ms();
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const std::size_t from = (block + i) % (sound.size() / kBlockSamples);
      streams[i].tracker->push(
          static_cast<std::int64_t>(block * kBlockSamples),
          std::span<const float, kBlockSamples>(sound.data() + from * kBlockSamples, kBlockSamples),
          true);
    }
  }
  const double stream_seconds = static_cast<double>(kBlocks - kWarmUpBlocks) * kBlock_s * kStreams;
  const double ms = (cpu_ms() - started_ms) / stream_seconds;
  std::printf("%d streams: %.2f ms CPU a second of speech (target %.0f), %.2f MiB a meeting\n",
              kStreams,
              ms,
              kTargetMs,
              (resident_mib() - before_mib) / kStreams);
  return ms <= kTargetMs ? 0 : 1;
}

}  // namespace
}  // namespace qylon::diarization

int main() {
  return qylon::diarization::run();
}

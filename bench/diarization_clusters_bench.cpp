// What telling voices apart costs beyond the embeddings: a meeting of two hours of speech, eight
// voices that take turns of 2 to 10 s, windows as directions with noise. Prints the CPU time of all
// windows, of the slowest (with a refresh in it) and of the pass at the end of the meeting.

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <random>
#include <vector>

#include "diarization/voice_clusters.hpp"
#include "tests/support/synthetic_voices.hpp"

namespace qylon::diarization {
namespace {

constexpr int kVoices = 8;
constexpr int kWindows = 2 * 3600 * 2;

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

class Talk {
 public:
  explicit Talk(int size) : directions_(size, 1) {
    for (int voice = 0; voice < kVoices; ++voice)
      voices_.push_back(directions_.direction());
  }

  std::vector<float> next() {
    if (left_-- == 0) {
      left_ = std::uniform_int_distribution<int>(4, 20)(random_);
      voice_ = std::uniform_int_distribution<int>(0, kVoices - 1)(random_);
    }
    constexpr float kCosine = 0.65F;  // A real window and the voice it is of.
    return directions_.near(voices_[static_cast<std::size_t>(voice_)], kCosine);
  }

 private:
  SyntheticVoices directions_;
  std::mt19937 random_{1};
  std::vector<std::vector<float>> voices_;
  int voice_ = 0;
  int left_ = 0;
};

int run() {
  const auto model = EmbeddingModel::load_default();
  if (!model) return 1;
  VoiceClusters clusters(*model);
  VoiceClusters::Follower track;
  Talk talk((*model)->size());
  std::vector<double> costs;
  for (int i = 0; i < kWindows; ++i) {
    const std::vector<float> window = talk.next();
    const double before = cpu_ms();
    clusters.observe(track, {.embedding = window});
    costs.push_back(cpu_ms() - before);
  }
  double total = 0;
  for (const double cost : costs)
    total += cost;
  std::sort(costs.begin(), costs.end());
  const double before = cpu_ms();
  clusters.finish();
  std::printf("two hours of speech, %d windows, %d of %d voices told apart\n",
              kWindows,
              clusters.voice_count(),
              kVoices);
  std::printf(
      "live   %.2f ms a second of speech; slowest windows: 1 in 1,000 %.1f ms, worst %.1f ms\n",
      total / kWindows * 2,
      costs[costs.size() - costs.size() / 1000 - 1],
      costs.back());
  std::printf("at the end %.0f ms\n", cpu_ms() - before);
  return 0;
}

}  // namespace
}  // namespace qylon::diarization

int main() {
  return qylon::diarization::run();
}

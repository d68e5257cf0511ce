/// Voice activity measured against references, and its features for the fit.
///
///   dsp_vad_bench AUDIO.s16 REFERENCE.rttm [AUDIO.s16 REFERENCE.rttm ...]
///       prints ROC-AUC, misses and false alarms at 0.5 and the cost, per file and over all.
///   dsp_vad_bench --features AUDIO.s16 FEATURES.f32 [...]
///       writes float32[blocks, VoiceActivityFeatures::kCount] for models/train/fit_vad.py.
///
/// AUDIO is signed 16-bit little-endian, mono, 16 kHz, as written by
///   gst-launch-1.0 filesrc location=X.opus ! oggdemux ! opusdec ! audioconvert ! audioresample
///     ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! filesink location=X.s16

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "dsp/highpass.hpp"
#include "dsp/isa.hpp"
#include "dsp/pcm.hpp"
#include "dsp/voice_activity.hpp"
#include "dsp/voice_activity_features.hpp"

namespace qylon::dsp {
namespace {

constexpr std::size_t kBlock = VoiceActivity::kBlockSamples;

/// Whole blocks of the file, high-passed as in the pipeline.
std::vector<float> read_audio(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path);
    std::exit(1);
  }
  const std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::uint8_t> bytes(chars.size());
  std::memcpy(bytes.data(), chars.data(), chars.size());
  std::vector<float> samples(bytes.size() / 2);
  s16le_to_float(bytes, samples);
  samples.resize(samples.size() / kBlock * kBlock);
  auto highpass = *Highpass::create({});
  highpass.process(samples);
  return samples;
}

/// Per block: does anybody speak in its middle?
std::vector<bool> read_labels(const char* path, std::size_t blocks) {
  std::vector<bool> labels(blocks);
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string word;
    double start = 0.0;
    double duration = 0.0;
    fields >> word >> word >> word >> start >> duration;
    for (std::size_t block = 0; block < blocks; ++block) {
      const double middle = 0.01 * static_cast<double>(block) + 0.005;
      if (middle >= start && middle < start + duration) labels[block] = true;
    }
  }
  return labels;
}

struct Score {
  std::vector<std::pair<float, bool>> blocks;
  double cpu_s = 0.0;

  void add(const Score& other) {
    blocks.insert(blocks.end(), other.blocks.begin(), other.blocks.end());
    cpu_s += other.cpu_s;
  }

  void print(const char* name) {
    std::ranges::sort(blocks);
    double rank_sum = 0.0;  // Of speech; equal probabilities share the mean of their ranks.
    double speech = 0.0;
    double missed = 0.0;
    double invented = 0.0;
    for (std::size_t first = 0; first < blocks.size();) {
      const float probability = blocks[first].first;
      std::size_t end = first;
      double labelled = 0.0;
      for (; end < blocks.size() && blocks[end].first == probability; ++end) {
        labelled += blocks[end].second ? 1.0 : 0.0;
      }
      rank_sum += labelled * 0.5 * static_cast<double>(first + 1 + end);
      speech += labelled;
      missed += probability < 0.5F ? labelled : 0.0;
      invented += probability >= 0.5F ? static_cast<double>(end - first) - labelled : 0.0;
      first = end;
    }
    const double silence = static_cast<double>(blocks.size()) - speech;
    // Mann-Whitney: the chance that a block of speech ranks above one without.
    const double auc = (rank_sum - speech * (speech + 1.0) / 2.0) / (speech * silence);
    std::printf("%-40s AUC %.4f  miss %5.2f %%  false alarm %5.2f %%  %.3f ms/stream-s\n",
                name,
                auc,
                100.0 * missed / speech,
                100.0 * invented / silence,
                1e5 * cpu_s / static_cast<double>(blocks.size()));
  }
};

double thread_cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Score score(const char* audio_path, const char* rttm_path) {
  const std::vector<float> samples = read_audio(audio_path);
  const std::size_t blocks = samples.size() / kBlock;
  const std::vector<bool> labels = read_labels(rttm_path, blocks);
  auto activity = *VoiceActivity::create();
  Score result;
  std::vector<float> probabilities(blocks);
  const double start = thread_cpu_s();
  for (std::size_t block = 0; block < blocks; ++block) {
    probabilities[block] =
        activity.process(std::span<const float, kBlock>(samples.data() + block * kBlock, kBlock));
  }
  result.cpu_s = thread_cpu_s() - start;
  for (std::size_t block = 0; block < blocks; ++block) {
    const std::size_t told = std::min(block + VoiceActivity::kDelayBlocks, blocks - 1);
    result.blocks.emplace_back(probabilities[told], labels[block]);
  }
  return result;
}

void write_features(const char* audio_path, const char* features_path) {
  const std::vector<float> samples = read_audio(audio_path);
  auto features = *VoiceActivityFeatures::create();
  std::array<float, VoiceActivityFeatures::kCount> row{};
  std::ofstream file(features_path, std::ios::binary);
  for (std::size_t at = 0; at < samples.size(); at += kBlock) {
    features.process(std::span<const float, kBlock>(samples.data() + at, kBlock), row);
    std::array<char, sizeof row> bytes{};
    std::memcpy(bytes.data(), row.data(), sizeof row);
    file.write(bytes.data(), bytes.size());
  }
}

int run(std::span<char*> arguments) {
  if (arguments.size() >= 3 && std::strcmp(arguments[0], "--features") == 0) {
    for (std::size_t i = 1; i + 1 < arguments.size(); i += 2) {
      write_features(arguments[i], arguments[i + 1]);
    }
    return 0;
  }
  if (arguments.size() < 2 || arguments.size() % 2 != 0) {
    std::fprintf(stderr, "usage: dsp_vad_bench [--features] AUDIO.s16 FILE [AUDIO.s16 FILE ...]\n");
    return 2;
  }
  std::printf("kernels: %s\n", std::string(isa_name(active_isa())).c_str());
  Score all;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    Score one = score(arguments[i], arguments[i + 1]);
    all.add(one);
    one.print(arguments[i]);
  }
  all.print("all");
  return 0;
}

}  // namespace
}  // namespace qylon::dsp

int main(int argc, char** argv) {
  return qylon::dsp::run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
}

// Runs the live diarization over recorded meetings and scores the labels as first given, as known
// five seconds later and at the end:
//   diarization_meetings_bench [--oracle-vad] [--collar S] [--voice-model FILE] WAV RTTM ...
// WAV: 16 kHz mono, 16 bit. RTTM: the reference. --oracle-vad takes the reference's speech (pauses
// below 0.3 s bridged) for voice activity; without it, dsp::VoiceActivity at 0.5.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "diarization/der.hpp"
#include "diarization/voice_tracker.hpp"
#include "dsp/voice_activity.hpp"

namespace qylon::diarization {
namespace {

constexpr double kRate = 16000;
constexpr std::int64_t kLater = 5 * 16000;

struct Settings {
  bool oracle = false;
  double collar_s = 0.25;
  std::string voice_model;
  std::vector<std::string> files;
};

struct Given {
  VoiceLabel first;
  int later = -1;
  bool has_later = false;
};

struct Run {
  Der first;
  Der later;
  Der end;
  double audio_s = 0;
  double cpu_s = 0;
  int relabels = 0;
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Samples of the first data chunk; empty when it is no 16 kHz mono 16-bit WAV.
std::vector<float> read_wav(const std::string& path) {
  const std::string bytes = read_file(path);
  std::size_t at = 12;
  while (at + 8 <= bytes.size()) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data() + at + 4, 4);
    if (bytes.compare(at, 4, "fmt ") == 0) {
      std::uint16_t format[2] = {};
      std::uint32_t rate = 0;
      std::memcpy(format, bytes.data() + at + 8, 4);
      std::memcpy(&rate, bytes.data() + at + 12, 4);
      if (format[1] != 1 || rate != 16000) return {};
    }
    if (bytes.compare(at, 4, "data") == 0) {
      std::vector<std::int16_t> samples(std::min<std::size_t>(size, bytes.size() - at - 8) /
                                        sizeof(std::int16_t));
      std::memcpy(samples.data(), bytes.data() + at + 8, samples.size() * sizeof(std::int16_t));
      std::vector<float> out(samples.size());
      std::transform(samples.begin(), samples.end(), out.begin(), [](std::int16_t s) {
        return static_cast<float>(s) / 32768.0F;
      });
      return out;
    }
    at += 8 + size + size % 2;
  }
  return {};
}

/// Speech of anybody by block, with pauses below 0.3 s bridged.
std::vector<bool> oracle_activity(const std::vector<Turn>& reference, std::size_t blocks) {
  std::vector<bool> speech(blocks);
  for (const Turn& turn : reference) {
    const auto start = static_cast<std::size_t>(std::lround(turn.start_s * 100));
    const auto end = static_cast<std::size_t>(std::lround(turn.end_s * 100));
    for (std::size_t i = start; i < std::min(end, blocks); ++i)
      speech[i] = true;
  }
  std::size_t silent = 0;
  for (std::size_t i = 0; i < blocks; ++i) {
    if (!speech[i]) {
      ++silent;
      continue;
    }
    if (silent < 30 && silent < i) {
      for (std::size_t k = i - silent; k < i; ++k)
        speech[k] = true;
    }
    silent = 0;
  }
  return speech;
}

std::vector<bool> detected_activity(const std::vector<float>& samples, std::size_t blocks) {
  Result<dsp::VoiceActivity> detector = dsp::VoiceActivity::create();
  std::vector<bool> speech(blocks);
  for (std::size_t i = 0; i < blocks; ++i) {
    const float probability =
        detector->process(std::span<const float, 160>(samples.data() + i * 160, 160));
    speech[i - std::min(i, dsp::VoiceActivity::kDelayBlocks)] = probability > 0.5F;
  }
  return speech;
}

std::vector<Given> follow(VoiceClusters& clusters,
                          const std::vector<float>& samples,
                          const std::vector<bool>& speech) {
  VoiceTracker tracker(clusters);
  std::vector<Given> labels;
  std::size_t settled = 0;
  for (std::size_t i = 0; i < speech.size(); ++i) {
    const std::span<const float, kBlockSamples> block(samples.data() + i * kBlockSamples,
                                                      kBlockSamples);
    const auto now = static_cast<std::int64_t>(i * kBlockSamples);
    if (const auto label = tracker.push(now, block, speech[i])) labels.push_back({*label});
    while (settled < labels.size() && labels[settled].first.end_sample + kLater <= now) {
      labels[settled].later = clusters.voice_of(labels[settled].first.evidence);
      labels[settled++].has_later = true;
    }
  }
  return labels;
}

template <typename VoiceOf>
Der score(const std::vector<Given>& labels,
          const std::vector<Turn>& reference,
          double collar_s,
          VoiceOf voice_of) {
  std::vector<Turn> turns;
  for (const Given& given : labels) {
    const int voice = voice_of(given);
    if (voice < 0) continue;
    turns.push_back({reference.front().recording,
                     std::to_string(voice),
                     static_cast<double>(given.first.start_sample) / kRate,
                     static_cast<double>(given.first.end_sample) / kRate});
  }
  OverlapOptions options;
  options.collar_s = collar_s;
  return total_der(score_der(reference, turns, {}, options));
}

Run run(const std::shared_ptr<const EmbeddingModel>& model,
        const std::vector<float>& samples,
        const std::vector<Turn>& reference,
        const Settings& settings) {
  const std::size_t blocks = samples.size() / kBlockSamples;
  const std::vector<bool> speech =
      settings.oracle ? oracle_activity(reference, blocks) : detected_activity(samples, blocks);
  VoiceClusters clusters(model);
  const auto started = std::clock();
  const std::vector<Given> labels = follow(clusters, samples, speech);
  Run out;
  out.cpu_s = static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
  out.audio_s = static_cast<double>(samples.size()) / kRate;
  const auto now = [&](const Given& given) { return clusters.voice_of(given.first.evidence); };
  out.first = score(
      labels, reference, settings.collar_s, [](const Given& given) { return given.first.voice; });
  out.later = score(labels, reference, settings.collar_s, [&](const Given& given) {
    return given.has_later ? given.later : now(given);
  });
  out.end = score(labels, reference, settings.collar_s, now);
  for (const Given& given : labels) {
    out.relabels += given.first.voice >= 0 && now(given) != given.first.voice ? 1 : 0;
  }
  return out;
}

void print(const std::string& name, const Run& run) {
  std::printf(
      "%-24s first %5.1f  after 5 s %5.1f  end %5.1f  relabelled/min %4.1f  ms/s %5.2f  %s\n",
      name.c_str(),
      run.first.percent(),
      run.later.percent(),
      run.end.percent(),
      run.relabels / (run.audio_s / 60),
      1000 * run.cpu_s / run.audio_s,
      format_der(run.end).c_str());
}

Settings parse_arguments(int count, char** arguments) {
  Settings settings;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--oracle-vad") {
      settings.oracle = true;
    } else if (argument == "--collar" && i + 1 < count) {
      settings.collar_s = std::stod(arguments[++i]);
    } else if (argument == "--voice-model" && i + 1 < count) {
      settings.voice_model = arguments[++i];
    } else {
      settings.files.push_back(argument);
    }
  }
  return settings;
}

int run_all(const Settings& settings) {
  const auto model = settings.voice_model.empty() ? EmbeddingModel::load_default()
                                                  : EmbeddingModel::load(settings.voice_model);
  if (!model) return 1;
  Run total;
  for (std::size_t i = 0; i + 1 < settings.files.size(); i += 2) {
    const std::vector<float> samples = read_wav(settings.files[i]);
    const Result<std::vector<Turn>> reference = parse_rttm(read_file(settings.files[i + 1]));
    if (samples.empty() || !reference || reference->empty()) {
      std::fprintf(stderr, "%s: no 16 kHz mono WAV or no reference\n", settings.files[i].c_str());
      return 1;
    }
    const Run result = run(*model, samples, *reference, settings);
    print(settings.files[i].substr(settings.files[i].rfind('/') + 1), result);
    total.first += result.first;
    total.later += result.later;
    total.end += result.end;
    total.audio_s += result.audio_s;
    total.cpu_s += result.cpu_s;
    total.relabels += result.relabels;
  }
  if (total.audio_s > 0) print("all", total);
  return 0;
}

}  // namespace
}  // namespace qylon::diarization

int main(int count, char** arguments) {
  const auto settings = qylon::diarization::parse_arguments(count, arguments);
  if (settings.files.size() < 2) {
    std::fprintf(
        stderr, "usage: %s [--oracle-vad] [--collar S] WAV RTTM [WAV RTTM ...]\n", arguments[0]);
    return 0;  // ./dev bench runs every program; without recordings there is nothing to measure.
  }
  return qylon::diarization::run_all(settings);
}

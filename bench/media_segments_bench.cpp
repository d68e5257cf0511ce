// What our segmentation costs the recogniser: word error rate of the same long audio, cut by
// media::Segmenter and cut where the reference says.
//
//   media_segments_bench REF.tsv WAV_DIR [--pause-ms N] [--level-db DB] [--normalise]
//
// REF.tsv: `name<TAB>words` for WAV_DIR/name.wav, mono s16le 16 kHz (see diarization_wer_bench.cpp
// for how they are made). Utterances whose names begin with the same four letters are one speaker's
// track: one after the other with N ms (default 500) of noise, as quiet as the quietest tenth of a
// second beside it, between them. --level-db shifts the level first; what would clip, clips.
// --normalise applies dsp::Loudness' gain before the recogniser, to compare.
#include <algorithm>
#include <array>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "diarization/wer.hpp"
#include "dsp/loudness.hpp"
#include "media/block_delay.hpp"
#include "media/segmenter.hpp"
#include "media/stream_graph.hpp"
#include "models/recogniser_factory.hpp"
#include "tests/support/wav.hpp"

namespace qylon::media {
namespace {

using diarization::NamedText;
using models::RecogniserResult;

struct Settings {
  std::string reference;
  std::string wav_dir;
  int pause_ms = 500;
  float level_db = 0.0F;
  bool normalise = false;
};

/// Samples [begin, end).
struct Cut {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// One speaker's utterances as one recording.
struct Recording {
  std::string name;
  std::string words;
  std::vector<float> samples;
  std::vector<Cut> utterances;
};

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

float quietest_rms(std::span<const float> samples) {
  constexpr std::size_t kWindow = 1600;
  float quietest = 1.0F;
  for (std::size_t at = 0; at + kWindow <= samples.size(); at += kWindow / 2) {
    double power = 0.0;
    for (const float sample : samples.subspan(at, kWindow))
      power += static_cast<double>(sample) * static_cast<double>(sample);
    quietest = std::min(quietest, static_cast<float>(std::sqrt(power / kWindow)));
  }
  return quietest;
}

void append(Recording& recording, std::span<const float> samples, const Settings& settings) {
  std::mt19937 random(static_cast<unsigned>(recording.samples.size()));
  std::normal_distribution<float> noise(0.0F, std::max(quietest_rms(samples), 1e-6F));
  for (int i = 0; i < settings.pause_ms * 16; ++i)
    recording.samples.push_back(noise(random));
  const auto begin = static_cast<std::int64_t>(recording.samples.size());
  recording.samples.insert(recording.samples.end(), samples.begin(), samples.end());
  recording.utterances.push_back({begin, begin + static_cast<std::int64_t>(samples.size())});
}

std::vector<Recording> read_recordings(const std::vector<NamedText>& texts,
                                       const Settings& settings) {
  std::map<std::string, Recording> by_speaker;
  for (const NamedText& text : texts) {
    const std::string speaker = text.name.substr(0, 4);
    Recording& recording = by_speaker[speaker];
    recording.name = speaker;
    recording.words += (recording.words.empty() ? "" : " ") + text.text;
    append(recording,
           test::WavFile::read_samples(settings.wav_dir + "/" + text.name + ".wav"),
           settings);
  }
  const float gain = std::pow(10.0F, settings.level_db / 20.0F);
  std::vector<Recording> recordings;
  for (auto& [speaker, recording] : by_speaker) {
    recording.samples.resize(recording.samples.size() + 16'000);  // The last pause.
    for (float& sample : recording.samples)
      sample = std::clamp(sample * gain, -1.0F, 1.0F);
    recordings.push_back(std::move(recording));
  }
  return recordings;
}

/// A recording behind the graph, and what our segmenter makes of it.
class Heard final : public BlockSink {
 public:
  void on_block(const Block& block) noexcept override {
    samples.insert(samples.end(), block.samples.begin(), block.samples.end());
    delay_.push(block, [this](const Block& known) { cut(known); });
  }
  void finish() {
    delay_.drain([this](const Block& known) { cut(known); });
    note(segmenter_.flush());
  }

  std::vector<float> samples;
  std::vector<Cut> cuts;

 private:
  void cut(const Block& block) {
    note(segmenter_.push(block.start_sample, block.speech_probability));
  }
  void note(const Segmenter::Step& step) {
    if (step.end) cuts.back().end = *step.end;
    if (step.begin) cuts.push_back({*step.begin, 0});
  }

  BlockDelay delay_;
  Segmenter segmenter_{Segmenter::Options{}};
};

/// As the front end would: the gain of a block ends a ramp that began at the last block's, and a
/// sample that would clip is held at full scale.
void normalise(std::vector<float>& samples) {
  auto loudness = dsp::Loudness::create().value();
  float gain = 1.0F;
  for (std::size_t at = 0; at + kBlockSamples <= samples.size(); at += kBlockSamples) {
    const auto block = std::span(samples).subspan(at, kBlockSamples);
    const float next = std::pow(10.0F, loudness.process(block) / 20.0F);
    for (std::size_t i = 0; i < block.size(); ++i) {
      const float ramp = gain + (next - gain) * static_cast<float>(i + 1) / kBlockSamples;
      block[i] = std::clamp(block[i] * ramp, -1.0F, 1.0F);
    }
    gain = next;
  }
}

void hear(const Recording& recording, const Settings& settings, Heard& heard) {
  const AudioFormat format{Codec::kPcmF32le, kPipelineRateHz, 1};
  const auto graph = StreamGraph::create(format, heard).value();
  std::array<std::uint8_t, 320 * sizeof(float)> packet{};
  for (std::size_t at = 0; at + 320 <= recording.samples.size(); at += 320) {
    std::memcpy(packet.data(), recording.samples.data() + at, packet.size());
    QYLON_CHECK(static_cast<bool>(graph->push(packet)));
  }
  graph->flush();
  heard.finish();
  if (settings.normalise) normalise(heard.samples);
}

class Collector final : public models::RecogniserSink {
 public:
  void on_result(RecogniserResult result) override {
    if (result.kind == RecogniserResult::Kind::kPartial) return;
    const std::lock_guard lock(mutex_);
    if (result.kind == RecogniserResult::Kind::kFailed)
      std::fprintf(stderr, "failed: %s\n", result.reason.c_str());
    for (const auto& word : result.words)
      texts_[result.segment] += word.text + " ";
    ++finals_;
    changed_.notify_all();
  }
  void wait_for(std::size_t finals) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return finals_ >= finals; });
  }
  std::string text() const {
    std::string all;
    for (const auto& [segment, text] : texts_)
      all += text;
    return all;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::string> texts_;
  std::size_t finals_ = 0;
};

std::string recognise(models::Recogniser& recogniser,
                      const Heard& heard,
                      const std::vector<Cut>& cuts,
                      const std::string& speaker) {
  constexpr std::size_t kAtOnce = 4;
  const auto collector = std::make_shared<Collector>();
  const auto session = recogniser.open({}, collector);
  const auto samples = std::span(heard.samples);
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const auto end = std::min<std::int64_t>(cuts[i].end, std::ssize(samples));
    session->begin_segment(i, cuts[i].begin, speaker);
    for (std::int64_t at = cuts[i].begin; at < end; at += 1600)
      session->push(
          samples.subspan(static_cast<std::size_t>(at),
                          static_cast<std::size_t>(std::min<std::int64_t>(1600, end - at))));
    session->end_segment(end);
    collector->wait_for(i + 1 < kAtOnce ? 0 : i + 1 - kAtOnce);
  }
  collector->wait_for(cuts.size());
  return collector->text();
}

int run(const Settings& settings) {
  const SystemClock clock;
  const Log log(clock, LogLevel::kError);
  Counters counters;
  const auto texts = diarization::parse_named_texts(read_all(settings.reference));
  if (!texts) return std::fprintf(stderr, "%s\n", texts.error().message.c_str()), 1;
  models::RecogniserSettings engine;
  engine.worker_program = "/proc/self/exe";
  auto recogniser = models::make_recogniser(engine, {log, counters, clock});
  if (!recogniser) return std::fprintf(stderr, "%s\n", recogniser.error().message.c_str()), 1;
  if (const Status ready = StreamGraph::init_graphs(); !ready)
    return std::fprintf(stderr, "%s\n", ready.error().message.c_str()), 1;

  diarization::Wer at_reference;
  diarization::Wer at_ours;
  std::size_t references = 0;
  std::size_t ours = 0;
  for (const Recording& recording : read_recordings(*texts, settings)) {
    Heard heard;
    hear(recording, settings, heard);
    references += recording.utterances.size();
    ours += heard.cuts.size();
    at_reference += diarization::score_wer(
        recording.words,
        recognise(**recogniser, heard, recording.utterances, recording.name + "-reference"));
    at_ours += diarization::score_wer(
        recording.words, recognise(**recogniser, heard, heard.cuts, recording.name + "-ours"));
  }
  std::printf("reference cuts  %s, %zu segments\n", format_wer(at_reference).c_str(), references);
  std::printf("our segmenter   %s, %zu segments\n", format_wer(at_ours).c_str(), ours);
  const double cost = at_ours.percent() - at_reference.percent();
  std::printf("%s segmentation costs %.2f points of WER (at most 1.5)\n",
              cost <= 1.5 ? "PASS" : "FAIL",
              cost);
  return cost <= 1.5 ? 0 : 1;
}

Settings parse(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool has_value = i + 1 < argc;
    if (word == "--pause-ms" && has_value) {
      settings.pause_ms = std::stoi(argv[++i]);
    } else if (word == "--level-db" && has_value) {
      settings.level_db = std::stof(argv[++i]);
    } else if (word == "--normalise") {
      settings.normalise = true;
    } else if (settings.reference.empty()) {
      settings.reference = word;
    } else {
      settings.wav_dir = word;
    }
  }
  return settings;
}

}  // namespace
}  // namespace qylon::media

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], qylon::models::kZygoteSubcommand) == 0)
    return qylon::models::run_recogniser_zygote({argv + 2, argv + argc});
  return qylon::media::run(qylon::media::parse(argc, argv));
}

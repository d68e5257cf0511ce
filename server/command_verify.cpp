#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <numeric>

#include "core/config.hpp"
#include "diarization/cohort_score.hpp"
#include "diarization/verification.hpp"
#include "diarization/voice_print.hpp"
#include "media/pcm_reader.hpp"
#include "media/stream_graph.hpp"
#include "server/command.hpp"
#include "server/recogniser_settings.hpp"
#include "server/speech_segments_json.hpp"
#include "server/tool_files.hpp"

namespace qylon::server {
namespace {

constexpr const char* kHelp =
    R"(qylon verify - how well voices are told apart

  qylon verify TRIALS --audio FILE|DIR --segments JSON [--voice-model PATH]

TRIALS has lines `1|0 segment segment` (1: the same voice). JSON is an array of segments of the
recording: {"id":"a","start":0.0,"dur":5.0}. Prints the equal error rate of the first 1.5, 3 and 5
seconds of the segments. A DIR stands for all sound files in it, each a recording of the segments.
)";

constexpr std::array<double, 3> kLengths_s{1.5, 3.0, 5.0};

int fail(const Error& error, int status) {
  std::fprintf(stderr, "qylon verify: %s\n", error.message.c_str());
  return status;
}

Result<std::vector<float>> read_samples(const std::string& path) {
  auto reader = media::PcmReader::create({.path = path});
  if (!reader) return reader.error();
  std::vector<float> samples;
  std::array<float, 16'000> part{};
  while (true) {
    const auto count = reader->read(part);
    if (!count) return count.error();
    if (*count == 0) return samples;
    samples.insert(samples.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*count));
  }
}

struct Task {
  std::vector<diarization::Trial> trials;
  std::vector<SpeechSegment> segments;
  std::shared_ptr<const diarization::EmbeddingModel> model;
};

struct Print {
  std::vector<float> voice;
  diarization::CohortLikeness likeness;
};
using Prints = std::map<std::string, Print, std::less<>>;

/// The voice of each segment, from its first `length_s`.
Result<Prints> prints_of(const Task& task, std::span<const float> samples, double length_s) {
  Prints prints;
  for (const SpeechSegment& segment : task.segments) {
    const auto start = static_cast<std::size_t>(segment.start_s * media::kPipelineRateHz);
    const auto length =
        static_cast<std::size_t>(std::min(length_s, segment.duration_s) * media::kPipelineRateHz);
    if (start + length > samples.size()) {
      return Error{ErrorCode::kInvalidArgument,
                   "segment " + segment.id + " ends behind the recording"};
    }
    auto print = diarization::voice_print(task.model, samples.subspan(start, length));
    if (!print) return Error{print.error().code, segment.id + ": " + print.error().message};
    prints[segment.id] = {*print, diarization::cohort_likeness(*task.model, *print)};
  }
  return prints;
}

float score_of(const Print& one, const Print& other) {
  const float cosine =
      std::inner_product(one.voice.begin(), one.voice.end(), other.voice.begin(), 0.0F);
  return diarization::normalised_score(cosine, one.likeness, other.likeness);
}

Result<double> error_percent(const Task& task, std::span<const float> samples, double length_s) {
  const auto prints = prints_of(task, samples, length_s);
  if (!prints) return prints.error();
  std::vector<diarization::TrialScore> scores;
  for (const diarization::Trial& trial : task.trials) {
    const auto first = prints->find(trial.first);
    const auto second = prints->find(trial.second);
    if (first == prints->end() || second == prints->end()) {
      const std::string& missing = first == prints->end() ? trial.first : trial.second;
      return Error{ErrorCode::kInvalidArgument, "a trial names " + missing + ", no segment"};
    }
    scores.push_back({score_of(first->second, second->second), trial.same});
  }
  return diarization::equal_error_percent(scores);
}

Result<Task> read_task(const std::string& trials_path,
                       const std::string& segments_path,
                       const Settings& settings) {
  Task task;
  const auto trials_text = read_file(trials_path);
  if (!trials_text) return trials_text.error();
  auto trials = diarization::parse_trials(*trials_text);
  if (!trials) return Error{trials.error().code, trials_path + ": " + trials.error().message};
  const auto segments_text = read_file(segments_path);
  if (!segments_text) return segments_text.error();
  auto segments = parse_speech_segments(*segments_text);
  if (!segments) {
    return Error{segments.error().code, segments_path + ": " + segments.error().message};
  }
  auto model = load_voice_model(settings);
  if (!model) return model.error();
  return Task{*std::move(trials), *std::move(segments), *std::move(model)};
}

Status verify_all(const Task& task, const std::string& audio) {
  const Status graphs = media::StreamGraph::init_graphs();
  if (!graphs) return graphs.error();
  const auto files = files_of(audio, {".opus", ".ogg", ".wav", ".flac"});
  if (!files) return files.error();
  for (const std::filesystem::path& file : *files) {
    const auto samples = read_samples(file.string());
    if (!samples) return samples.error();
    for (const double length_s : kLengths_s) {
      const auto percent = error_percent(task, *samples, length_s);
      if (!percent) return percent.error();
      std::printf("%s %.1f s EER %.2f\n", file.stem().c_str(), length_s, *percent);
    }
  }
  return ok();
}

}  // namespace

int run_verify(const Words& words) {
  if (words.empty() || std::find(words.begin(), words.end(), "--help") != words.end()) {
    std::fputs(kHelp, words.empty() ? stderr : stdout);
    return words.empty() ? 2 : 0;
  }
  std::string audio;
  std::string segments;
  Settings settings;
  SettingList list;
  list.add({"audio", "", "Recording."}, audio);
  list.add({"segments", "", "Segments of it."}, segments);
  list.add({"voice-model", "", "Weights; empty: built in."}, settings.voice_model);
  const auto trials = list.read_flags(words);
  if (!trials) return fail(trials.error(), 2);
  if (trials->size() != 1 || audio.empty() || segments.empty()) {
    return fail({ErrorCode::kInvalidArgument, "it takes TRIALS, --audio and --segments"}, 2);
  }
  const auto task = read_task(trials->front(), segments, settings);
  if (!task) return fail(task.error(), 1);
  const Status verified = verify_all(*task, audio);
  return verified ? 0 : fail(verified.error(), 1);
}

}  // namespace qylon::server

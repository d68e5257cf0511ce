// Word error rate of a recogniser on folders of WAV files, each one whole segment.
//
//   diarization_wer_bench REF.tsv WAV_DIR [--lm TEXT] [--vocabulary TEXT] [--words OUT]
//   [--realtime]
//
// REF.tsv: `name<TAB>words` for WAV_DIR/name.wav, mono s16le 16 kHz. --realtime pushes at the speed
// of speech and prints first-partial and final latencies too. --words writes every word with its
// times and confidence. WAV from FLAC:
//   gst-launch-1.0 filesrc location=X ! decodebin ! audioconvert ! audioresample
//     ! audio/x-raw,format=S16LE,rate=16000,channels=1 ! wavenc ! filesink location=Y
// and from the prompts' G.722, whose files name no format: ffmpeg -f g722 -i X -ac 1 -ar 16000 Y

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "diarization/wer.hpp"
#include "models/recogniser_factory.hpp"
#include "tests/support/wav.hpp"

namespace {

using qylon::diarization::NamedText;
using qylon::models::RecogniserResult;

struct Options {
  std::string reference;
  std::string wav_dir;
  std::string words_out;
  std::vector<std::string> vocabulary;
  bool realtime = false;
  qylon::models::RecogniserSettings settings;
};

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    lines.push_back(line);
  return lines;
}

class Collector final : public qylon::models::RecogniserSink {
 public:
  struct Answer {
    RecogniserResult last;
    std::int64_t first_partial_us = 0;
    std::int64_t final_us = 0;
  };
  explicit Collector(const qylon::Clock& clock) : clock_(clock) {}

  void on_result(RecogniserResult result) override {
    const std::lock_guard lock(mutex_);
    Answer& answer = answers_[result.segment];
    if (result.kind == RecogniserResult::Kind::kPartial) {
      if (answer.first_partial_us == 0) answer.first_partial_us = clock_.monotonic_us();
      return;
    }
    answer.final_us = clock_.monotonic_us();
    answer.last = std::move(result);
    ++finals_;
    changed_.notify_all();
  }
  void wait_for(std::size_t finals) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return finals_ >= finals; });
  }
  const std::map<std::uint64_t, Answer>& answers() const { return answers_; }

 private:
  const qylon::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, Answer> answers_;
  std::size_t finals_ = 0;
};

Options parse(int argc, char** argv) {
  Options options;
  options.settings.worker_program = "/proc/self/exe";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return std::string(i + 1 < argc ? argv[++i] : ""); };
    if (word == "--lm") {
      options.settings.language_model = value();
    } else if (word == "--vocabulary") {
      options.vocabulary = lines_of(value());
    } else if (word == "--words") {
      options.words_out = value();
    } else if (word == "--workers") {
      options.settings.workers = std::stoi(value());
    } else if (word == "--realtime") {
      options.realtime = true;
    } else if (options.reference.empty()) {
      options.reference = word;
    } else {
      options.wav_dir = word;
    }
  }
  return options;
}

std::string joined(const RecogniserResult& result) {
  std::string text;
  for (const auto& word : result.words)
    text += (text.empty() ? "" : " ") + word.text;
  return text;
}

void write_words(const Options& options,
                 const std::vector<NamedText>& references,
                 const Collector& collector) {
  if (options.words_out.empty()) return;
  std::ofstream out(options.words_out);
  for (const auto& [segment, answer] : collector.answers()) {
    for (const auto& word : answer.last.words)
      out << references[segment].name << '\t' << word.text << '\t' << word.start_ms << '\t'
          << word.end_ms << '\t' << word.confidence << '\n';
  }
}

int run(const Options& options) {
  const qylon::SystemClock clock;
  const qylon::Log log(clock, qylon::LogLevel::kInfo);
  qylon::Counters counters;
  const auto references = qylon::diarization::parse_named_texts(read_all(options.reference));
  if (!references) return std::fprintf(stderr, "%s\n", references.error().message.c_str()), 1;
  auto recogniser = qylon::models::make_recogniser(options.settings, {log, counters, clock});
  if (!recogniser) return std::fprintf(stderr, "%s\n", recogniser.error().message.c_str()), 1;
  const auto collector = std::make_shared<Collector>(clock);
  const auto session = (*recogniser)->open({options.vocabulary}, collector);

  std::vector<NamedText> hypotheses;
  std::int64_t samples_total = 0;
  double final_ms = 0;
  double first_ms = 0;
  int with_partial = 0;
  const std::int64_t started_us = clock.monotonic_us();
  for (std::size_t i = 0; i < references->size(); ++i) {
    const std::vector<float> samples =
        qylon::test::WavFile::read_samples(options.wav_dir + "/" + (*references)[i].name + ".wav");
    const std::int64_t begun_us = clock.monotonic_us();
    session->begin_segment(i, samples_total, (*references)[i].name.substr(0, 4));
    for (std::size_t at = 0; at < samples.size(); at += 1600) {
      session->push(
          std::span(samples).subspan(at, std::min<std::size_t>(1600, samples.size() - at)));
      if (options.realtime)
        std::this_thread::sleep_until(std::chrono::steady_clock::now() +
                                      std::chrono::milliseconds(100));
    }
    samples_total += static_cast<std::int64_t>(samples.size());
    const std::int64_t ended_us = clock.monotonic_us();
    session->end_segment(samples_total);
    if (options.realtime || i + 1 == references->size() || i % 4 == 3) collector->wait_for(i + 1);
    if (!options.realtime) continue;
    const auto& answer = collector->answers().at(i);
    final_ms += static_cast<double>(answer.final_us - ended_us) / 1000;
    if (answer.first_partial_us == 0) continue;
    ++with_partial;
    first_ms += static_cast<double>(answer.first_partial_us - begun_us) / 1000;
  }
  const double wall_s = static_cast<double>(clock.monotonic_us() - started_us) / 1e6;
  for (const auto& [segment, answer] : collector->answers()) {
    if (answer.last.kind == RecogniserResult::Kind::kFailed)
      std::printf("failed: %s\n", answer.last.reason.c_str());
    hypotheses.push_back({(*references)[segment].name, joined(answer.last)});
  }
  write_words(options, *references, *collector);
  const auto wer = qylon::diarization::score_wer(*references, hypotheses);
  if (!wer) return std::fprintf(stderr, "%s\n", wer.error().message.c_str()), 1;
  const double audio_s = static_cast<double>(samples_total) / 16000;
  std::printf("%s\naudio %.1f s, wall %.1f s\n", format_wer(*wer).c_str(), audio_s, wall_s);
  if (options.realtime) {
    std::printf("first partial %.0f ms (%d segments), final %.0f ms after the end\n",
                with_partial > 0 ? first_ms / with_partial : 0.0,
                with_partial,
                final_ms / static_cast<double>(references->size()));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], qylon::models::kZygoteSubcommand) == 0)
    return qylon::models::run_recogniser_zygote({argv + 2, argv + argc});
  return run(parse(argc, argv));
}

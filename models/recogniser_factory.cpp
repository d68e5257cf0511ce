#include "models/recogniser_factory.hpp"

#include <algorithm>
#include <thread>

#include "models/pocketsphinx/model.hpp"
#include "models/worker/worker_recogniser.hpp"
#include "models/worker/zygote.hpp"

namespace qylon::models {
namespace {

constexpr std::uint64_t kMegabyte = 1U << 20;

/// What the server tells the worker program about the engine, as words of its command line.
struct EngineArguments {
  std::string engine;
  std::string model_dir;
  std::string language_model;
  std::string library;
  std::uint64_t memory_mb = 0;
};

std::vector<std::string> to_words(const EngineArguments& arguments) {
  return {kZygoteSubcommand,
          "--engine=" + arguments.engine,
          "--model-dir=" + arguments.model_dir,
          "--language-model=" + arguments.language_model,
          "--library=" + arguments.library,
          "--memory-mb=" + std::to_string(arguments.memory_mb)};
}

bool take_value(std::string_view word, std::string_view name, std::string& value) {
  if (!word.starts_with(name)) return false;
  value = word.substr(name.size());
  return true;
}

EngineArguments from_words(const std::vector<std::string>& words) {
  EngineArguments arguments;
  std::string memory;
  for (const std::string& word : words) {
    [[maybe_unused]] const bool known =
        take_value(word, "--engine=", arguments.engine) ||
        take_value(word, "--model-dir=", arguments.model_dir) ||
        take_value(word, "--language-model=", arguments.language_model) ||
        take_value(word, "--library=", arguments.library) ||
        take_value(word, "--memory-mb=", memory);
  }
  arguments.memory_mb = std::strtoull(memory.c_str(), nullptr, 10);
  return arguments;
}

Result<std::unique_ptr<DecoderModel>> load_model(const EngineArguments& arguments) {
  if (arguments.engine == "pocketsphinx")
    return load_pocketsphinx({arguments.model_dir, arguments.language_model});
  return Error{ErrorCode::kInvalidArgument,
               "no worker engine is called '" + arguments.engine + "'; use pocketsphinx or vosk"};
}

int worker_count(const RecogniserSettings& settings) {
  if (settings.workers > 0) return settings.workers;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Result<std::unique_ptr<Recogniser>> make_worker_engine(const RecogniserSettings& settings,
                                                       const EngineArguments& arguments,
                                                       const RecogniserDeps& deps) {
  const int workers = worker_count(settings);
  WorkerRecogniser::Options options;
  options.caps.engine = arguments.engine;
  options.caps.partials = true;
  options.caps.word_times = true;
  options.caps.vocabulary = arguments.engine == "pocketsphinx";
  options.caps.language = settings.language;
  options.caps.concurrency_max = workers;
  options.pool.program = settings.worker_program;
  options.pool.args = to_words(arguments);
  options.store.speech_samples_max = settings.speech_s_max * kRecogniserRateHz;
  options.supervisor.engine = arguments.engine;
  options.supervisor.language = settings.language;
  options.supervisor.computing_max = workers;
  // A worker that listens to a live segment computes a fifth of the time: two per core keep it
  // busy.
  options.supervisor.workers_max = 2 * workers;
  auto recogniser =
      WorkerRecogniser::create(std::move(options), {deps.log, deps.counters, deps.clock});
  if (!recogniser) return recogniser.error();
  return std::unique_ptr<Recogniser>(std::move(*recogniser));
}

Result<std::unique_ptr<Recogniser>> make_pocketsphinx(const RecogniserSettings& settings,
                                                      const RecogniserDeps& deps) {
  return make_worker_engine(
      settings, {"pocketsphinx", settings.model_dir, settings.language_model, "", 1024}, deps);
}

}  // namespace

Result<std::unique_ptr<Recogniser>> make_recogniser(const RecogniserSettings& settings,
                                                    const RecogniserDeps& deps) {
  if (settings.engine == "pocketsphinx") return make_pocketsphinx(settings, deps);
  return Error{ErrorCode::kInvalidArgument,
               "recogniser engine '" + settings.engine +
                   "' is not known; use pocketsphinx, vosk, openai-http, vosk-ws or sherpa-ws"};
}

int run_recogniser_zygote(const std::vector<std::string>& args) {
  const EngineArguments arguments = from_words(args);
  ZygoteLimits limits;
  limits.address_space_bytes = arguments.memory_mb * kMegabyte;
  return serve_zygote(limits, [&] { return load_model(arguments); });
}

}  // namespace qylon::models

#include "models/recogniser_factory.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "core/worker/zygote.hpp"
#include "models/fallback.hpp"
#include "models/openai_http.hpp"
#include "models/pocketsphinx/model.hpp"
#include "models/vosk/model.hpp"
#include "models/websocket_recogniser.hpp"
#include "models/worker/worker_loop.hpp"
#include "models/worker/worker_recogniser.hpp"

namespace qylon::models {
namespace {

constexpr std::uint64_t kMegabyte = 1U << 20;
// Address space, not memory in use: a runaway decoder ends long before the machine does.
constexpr std::uint64_t kPocketSphinxMemoryMb = 1024;
constexpr std::uint64_t kVoskMemoryMb = 16'384;  // Large models map several gigabytes.

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
  if (arguments.engine == "vosk") return load_vosk({arguments.library, arguments.model_dir});
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
  options.pool.role = "recogniser";
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
                                                      const std::string& model_dir,
                                                      const RecogniserDeps& deps) {
  EngineArguments arguments;
  arguments.engine = "pocketsphinx";
  arguments.model_dir = model_dir;
  arguments.language_model = settings.language_model;
  arguments.memory_mb = kPocketSphinxMemoryMb;
  return make_worker_engine(settings, arguments, deps);
}

Result<std::unique_ptr<Recogniser>> make_vosk(const RecogniserSettings& settings,
                                              const RecogniserDeps& deps) {
  EngineArguments arguments;
  arguments.engine = "vosk";
  arguments.model_dir = settings.model_dir;
  arguments.library = settings.vosk_library;
  arguments.memory_mb = kVoskMemoryMb;
  return make_worker_engine(settings, arguments, deps);
}

/// First line of the key file, without white space at its ends.
Result<std::string> read_key(const std::string& path) {
  std::string key;
  if (path.empty()) return key;
  std::ifstream file(path);
  if (!file) {
    return Error{ErrorCode::kNotFound,
                 "the transcription server's key file " + path + " cannot be read"};
  }
  std::getline(file, key);
  const auto is_space = [](unsigned char c) { return c <= ' '; };
  std::erase_if(key, is_space);
  return key;
}

Result<std::unique_ptr<Recogniser>> make_openai(const RecogniserSettings& settings,
                                                const RecogniserDeps& deps) {
  auto key = read_key(settings.openai_key_file);
  if (!key) return key.error();
  OpenAiHttpRecogniser::Options options;
  options.base_url = settings.openai_base_url;
  options.key = std::move(*key);
  options.model = settings.openai_model;
  options.language = settings.language;
  options.timeout_ms = settings.openai_timeout_ms;
  options.concurrency = std::clamp(settings.openai_concurrency, 1, 64);
  options.retries = std::clamp(settings.openai_retries, 0, 10);
  options.speech_samples_max = settings.speech_s_max * kRecogniserRateHz;
  auto recogniser =
      OpenAiHttpRecogniser::create(std::move(options), {deps.log, deps.counters, deps.clock});
  if (!recogniser) return recogniser.error();
  return std::unique_ptr<Recogniser>(std::move(*recogniser));
}

Result<std::unique_ptr<Recogniser>> make_websocket(const RecogniserSettings& settings,
                                                   const RecogniserDeps& deps) {
  if (deps.connector == nullptr) {
    return Error{ErrorCode::kInvalidArgument,
                 "the engine " + settings.engine + " cannot be used here: no WebSocket client"};
  }
  WebSocketRecogniser::Options options;
  options.engine = settings.engine;
  options.url = settings.websocket_url;
  options.language = settings.language;
  options.timeout_ms = settings.websocket_timeout_ms;
  auto recogniser =
      WebSocketRecogniser::create(std::move(options), {*deps.connector, deps.counters, deps.clock});
  if (!recogniser) return recogniser.error();
  return std::unique_ptr<Recogniser>(std::move(*recogniser));
}

Result<std::unique_ptr<Recogniser>> with_fallback(Result<std::unique_ptr<Recogniser>> primary,
                                                  const RecogniserSettings& settings,
                                                  const RecogniserDeps& deps) {
  if (!primary || !settings.fallback) return primary;
  auto secondary = make_pocketsphinx(settings, "", deps);
  if (!secondary) return secondary;
  return std::unique_ptr<Recogniser>(
      std::make_unique<FallbackRecogniser>(std::move(*primary),
                                           std::move(*secondary),
                                           settings.speech_s_max * kRecogniserRateHz,
                                           deps.counters));
}

}  // namespace

Result<std::unique_ptr<Recogniser>> make_recogniser(const RecogniserSettings& settings,
                                                    const RecogniserDeps& deps) {
  const std::string& engine = settings.engine;
  if (engine == "pocketsphinx") return make_pocketsphinx(settings, settings.model_dir, deps);
  if (engine == "vosk") return make_vosk(settings, deps);
  if (engine == "openai-http") return with_fallback(make_openai(settings, deps), settings, deps);
  if (engine == "vosk-ws" || engine == "sherpa-ws")
    return with_fallback(make_websocket(settings, deps), settings, deps);
  return Error{ErrorCode::kInvalidArgument,
               "recogniser engine '" + engine +
                   "' is not known; use pocketsphinx, vosk, openai-http, vosk-ws or sherpa-ws"};
}

int run_recogniser_zygote(const std::vector<std::string>& args) {
  const EngineArguments arguments = from_words(args);
  ZygoteLimits limits;
  limits.address_space_bytes = arguments.memory_mb * kMegabyte;
  limits.process_name = "qylon-asr";
  return serve_zygote(limits, [&]() -> Result<WorkerLife> {
    auto loaded = load_model(arguments);
    if (!loaded) return loaded.error();
    return WorkerLife([model = std::shared_ptr<DecoderModel>(*std::move(loaded))](int socket) {
      if (const auto decoder = model->make_decoder()) serve_decoder(socket, *decoder);
    });
  });
}

}  // namespace qylon::models

#pragma once
/// From settings to a running recogniser: the only place that knows every engine by name.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/message_channel.hpp"
#include "core/result.hpp"
#include "models/recogniser.hpp"

namespace qylon::models {

/// First word of the hidden subcommand: `<worker_program> recogniser-zygote ...`.
inline constexpr const char* kZygoteSubcommand = "recogniser-zygote";

/// What an operator chooses. Defaults run offline on Debian's packages.
struct RecogniserSettings {
  /// "pocketsphinx", "vosk", "openai-http", "vosk-ws" or "sherpa-ws".
  std::string engine = "pocketsphinx";

  // Engines in worker processes: pocketsphinx, vosk.
  std::string worker_program;  ///< Executable that runs the hidden subcommand: our own path.
  int workers = 0;             ///< Decoders computing at once, 1..256; 0: one per core.
  std::string model_dir;       ///< vosk: model folder. pocketsphinx: empty is Debian's en-us.
  std::string language_model;  ///< pocketsphinx: text file, one sentence a line; may be empty.
  std::string vosk_library = "libvosk.so";  ///< As for dlopen(3): a name or a path.

  // Engines behind a network address.
  std::string openai_base_url;  ///< e.g. http://127.0.0.1:8000/v1
  std::string openai_key_file;  ///< File with the key; empty: no key is sent.
  std::string openai_model = "whisper-1";
  std::int64_t openai_timeout_ms = 30'000;     ///< One attempt, 100..600000.
  int openai_concurrency = 2;                  ///< Requests in flight, 1..64.
  int openai_retries = 2;                      ///< After the first attempt, 0..10.
  std::string websocket_url;                   ///< vosk-ws, sherpa-ws: ws:// or wss:// address.
  std::int64_t websocket_timeout_ms = 15'000;  ///< From a segment's end to its final.

  /// Network engines: decode with the default engine what the server did not answer, and take live
  /// partials from it when the engine has none.
  bool fallback = true;
  std::string language = "en";      ///< BCP 47, told to engines that ask.
  std::int64_t speech_s_max = 600;  ///< Speech held for finals over all sessions [s].
};

/// What a recogniser borrows; all must outlive it. `connector` may be null for engines that need no
/// WebSocket.
struct RecogniserDeps {
  const Log& log;
  Counters& counters;
  const Clock& clock;
  MessageConnector* connector = nullptr;
};

/// Builds and starts the engine. Blocks until worker engines have loaded their model (0.5 s for the
/// default, bounded by 60 s).
/// Errors: kInvalidArgument for an unknown engine or setting, kNotFound naming the library, model
///         or key file that is missing, kUnavailable when the workers do not start.
Result<std::unique_ptr<Recogniser>> make_recogniser(const RecogniserSettings& settings,
                                                    const RecogniserDeps& deps);

/// Body of the hidden subcommand that `worker_program` runs: loads the engine's model once and
/// forks workers from itself until the parent closes descriptor 3. `args` are the words after
/// kZygoteSubcommand. Call it first in main(), before any thread, and exit with what it returns.
int run_recogniser_zygote(const std::vector<std::string>& args);

}  // namespace qylon::models

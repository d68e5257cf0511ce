#pragma once
/// Vosk inside the worker process.

#include <memory>
#include <string>

#include "core/result.hpp"
#include "models/worker/segment_decoder.hpp"

namespace qylon::models {

struct VoskOptions {
  std::string library;    ///< As for dlopen(3).
  std::string model_dir;  ///< An unpacked Vosk model.
};

/// Streaming recogniser: partials while the segment runs, and the final goes on from there unless
/// the segment was cut shorter than what was heard.
/// Errors: kNotFound naming the library or the model folder.
Result<std::unique_ptr<DecoderModel>> load_vosk(const VoskOptions& options);

}  // namespace qylon::models

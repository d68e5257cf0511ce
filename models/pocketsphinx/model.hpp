#pragma once
/// PocketSphinx inside the worker process: model in the zygote, decoder in each worker.

#include <memory>
#include <string>

#include "core/result.hpp"
#include "models/worker/segment_decoder.hpp"

namespace qylon::models {

struct PocketSphinxOptions {
  std::string model_dir;       ///< Empty: Debian's /usr/share/pocketsphinx/model/en-us.
  std::string language_model;  ///< Text file with one sentence a line to mix in; may be empty.
};

/// Loads acoustic model, dictionary and language models: 97 MB, 0.4 s.
///
/// Final: the whole segment in three passes (tree, flat, lattice), cepstral mean of the segment.
/// Live : the tree pass alone, cepstral mean of the expected speaker, or, when he is unknown, of
///        the segment's first two seconds as soon as they are there.
/// Source : D. Huggins-Daines et al., "PocketSphinx: a free, real-time continuous speech
///          recognition system for hand-held devices", ICASSP 2006.
/// Errors: kNotFound naming the file that is missing, kInvalidArgument for one that does not load.
Result<std::unique_ptr<DecoderModel>> load_pocketsphinx(const PocketSphinxOptions& options);

}  // namespace qylon::models

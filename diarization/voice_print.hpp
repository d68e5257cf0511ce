#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "diarization/embedding_model.hpp"

namespace qylon::diarization {

/// One point for a whole clip of one voice: the mean of its 5 s windows' embeddings.
///
/// Input  : float32[n] mono 16 kHz, full scale +-1, speech only.
/// Output : float32[model size], L2 norm 1.
/// Cost   : about 3 ms a second of the clip.
/// Errors : kInvalidArgument for less than 0.5 s.
Result<std::vector<float>> voice_print(const std::shared_ptr<const EmbeddingModel>& model,
                                       std::span<const float> samples);

}  // namespace qylon::diarization

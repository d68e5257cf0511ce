#pragma once

#include <span>

#include "diarization/embedding_model.hpp"

namespace qylon::diarization {

/// How much a voice resembles those of the training speakers that it resembles most: some voices,
/// and noisy ones, are like many others.
struct CohortLikeness {
  float mean = 0;       ///< Of its cosines to them.
  float deviation = 1;  ///< > 0
};

/// Input  : float32[model size], L2 norm 1.
/// Cost   : one dot product for each of the model's cohort, 0.02 ms.
/// Threads: any.
CohortLikeness cohort_likeness(const EmbeddingModel& model, std::span<const float> voice);

/// A cosine of two voices in deviations from what either has with others, so that one threshold
/// serves all voices and rooms: adaptive symmetric normalisation with the 50 nearest.
///
/// Source : Matejka et al., "Analysis of score normalization in multilingual speaker recognition",
///          Interspeech 2017, section 2.4 (adaptive S-norm).
float normalised_score(float cosine, const CohortLikeness& one, const CohortLikeness& other);

}  // namespace qylon::diarization

#pragma once

#include <memory>

#include "diarization/embedding_model.hpp"
#include "models/recogniser_factory.hpp"
#include "server/settings.hpp"

namespace qylon::server {

/// The recogniser's part of the settings; worker processes run this very program.
models::RecogniserSettings recogniser_settings(const Settings& settings);

/// The voice weights that the settings name, or the ones built in.
Result<std::shared_ptr<const diarization::EmbeddingModel>> load_voice_model(
    const Settings& settings);

}  // namespace qylon::server

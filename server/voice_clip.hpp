#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "api/voices.hpp"
#include "core/result.hpp"
#include "diarization/embedding_model.hpp"

namespace qylon::server {

/// Samples of a RIFF WAVE file, full scale +-1. Taken is 16-bit PCM, mono, 16 kHz, at most 60 s.
/// Errors: kInvalidArgument that says what the file is instead.
Result<std::vector<float>> parse_wav(std::string_view bytes);

/// The one voice of a WAV file: voice activity and voices of the live path over it.
///
/// Cost    : about 4 ms a second of sound.
/// Threads : any.
/// Errors  : those of parse_wav(); kInvalidArgument when nobody speaks, or more than one voice has
///           a tenth of the speech.
Result<api::ClipVoice> hear_clip(const std::shared_ptr<const diarization::EmbeddingModel>& model,
                                 std::string_view wav);

}  // namespace qylon::server

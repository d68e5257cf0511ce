#pragma once

#include <cstddef>
#include <span>

namespace qylon::models {

/// models/weights/speaker.safetensors as it was when the program was built.
std::span<const std::byte> embedded_speaker_weights() noexcept;

}  // namespace qylon::models

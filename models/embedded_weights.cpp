#include "models/embedded_weights.hpp"

// The assembler copies the file into the program: no generated source of several megabytes, no
// file to look for at run time. QYLON_WEIGHTS_DIR comes from the build.
asm(".pushsection .rodata\n"
    ".balign 16\n"
    ".globl qylon_speaker_weights_begin\n"
    ".globl qylon_speaker_weights_end\n"
    "qylon_speaker_weights_begin:\n"
    ".incbin \"" QYLON_WEIGHTS_DIR
    "/speaker.safetensors\"\n"
    "qylon_speaker_weights_end:\n"
    ".popsection\n");

extern "C" {
extern const std::byte qylon_speaker_weights_begin[];  // NOLINT(readability-identifier-naming)
extern const std::byte qylon_speaker_weights_end[];    // NOLINT(readability-identifier-naming)
}

namespace qylon::models {

std::span<const std::byte> embedded_speaker_weights() noexcept {
  return {qylon_speaker_weights_begin, qylon_speaker_weights_end};
}

}  // namespace qylon::models

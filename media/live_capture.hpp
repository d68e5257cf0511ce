#pragma once

#include <memory>

#include "core/result.hpp"
#include "media/capture.hpp"

namespace qylon::media {

/// The microphone or the desktop's sound, through PulseAudio, PipeWire or ALSA, whichever of them
/// is there. See Capture.
Result<std::unique_ptr<Capture>> open_live_capture(const Capture::Options& options,
                                                   const Clock& clock);

}  // namespace qylon::media

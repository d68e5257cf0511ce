#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace qylon::server {

/// A stretch of a recording that `qylon verify` names in its trials.
struct SpeechSegment {
  std::string id;
  double start_s = 0;
  double duration_s = 0;
};

/// Reads `[{"id":"...","start":S,"dur":S}, ...]`; other fields are passed over.
/// Errors: kInvalidArgument naming the entry.
Result<std::vector<SpeechSegment>> parse_speech_segments(std::string_view text);

}  // namespace qylon::server

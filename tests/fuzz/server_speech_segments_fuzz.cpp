// Any bytes are refused or give segments inside the range that is promised.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.hpp"
#include "diarization/verification.hpp"
#include "server/speech_segments_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(qylon::diarization::parse_trials(text));
  const auto segments = qylon::server::parse_speech_segments(text);
  if (!segments) return 0;
  for (const auto& segment : *segments)
    QYLON_CHECK(segment.start_s >= 0 && segment.duration_s > 0);
  return 0;
}

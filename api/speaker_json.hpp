#pragma once
/// The JSON of the routes about a meeting's speakers.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/transcript.hpp"

namespace qylon::api {

inline constexpr std::size_t kSpeakerNameCharsMax = 100;  ///< Code points.

/// What a person says of speakers; each route takes what it needs.
struct SpeakerRequest {
  std::string name;
  std::string into;
  std::vector<std::uint64_t> captions;  ///< Offsets, rising, at most SpeakerChange::kCaptionsMax.
};

/// Reads `{"name":"...","into":"s1","captions":[41,42]}`; all may be missing, unknown fields are
/// ignored. Errors: kInvalidArgument that names the field and the limit.
Result<SpeakerRequest> parse_speaker_request(std::string_view body);

/// `{"speakers":[{"key":"s1","name":"Ann","provenance":"manual"}],
/// "hints":[{"kind":"shared","tracks":[1]}]}`.
std::string speakers_to_json(std::span<const Speaker> speakers, std::span<const VoiceHint> hints);
/// `{"offset":59}`: the number of the correction.
std::string correction_to_json(std::uint64_t offset);

}  // namespace qylon::api

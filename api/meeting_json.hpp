#pragma once
/// The JSON of the REST routes.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/transcript.hpp"

namespace qylon::api {

/// Limits of what a request may say.
inline constexpr int kJsonDepthMax = 32;
inline constexpr std::size_t kTitleCharsMax = 200;  ///< Code points.
inline constexpr std::size_t kGlossaryWordsMax = 200;
inline constexpr std::size_t kGlossaryWordCharsMax = 64;  ///< Code points.

/// What POST /api/meetings asks for.
struct MeetingRequest {
  std::string title;
  std::vector<std::string> glossary;
};

/// Reads `{"title":"...","glossary":["..."]}`; both may be missing, unknown fields are ignored, an
/// empty body asks for a meeting without a title.
/// Errors: kInvalidArgument that names the field and the limit.
Result<MeetingRequest> parse_meeting_request(std::string_view body);

/// `{"id":...,"epoch":...,"title":...,"state":...,"glossary":[...],"created_at":...,...}`.
std::string meeting_to_json(const MeetingInfo& meeting);
/// `{"meetings":[...],"next":CURSOR}`; `next` is null when `cursor` is empty.
std::string meetings_to_json(std::span<const MeetingInfo> meetings, std::string_view cursor);

/// One row of GET /api/meetings/{id}/tracks.
struct TrackItem {
  TrackId track = 0;
  std::string label;
  std::string speaker;
  std::string codec;
  std::optional<std::uintmax_t> audio_bytes{};  ///< Of its recording; none: there is none.
};
std::string tracks_to_json(std::span<const TrackItem> tracks);

}  // namespace qylon::api

#include "server/speech_segments_json.hpp"

#include <nlohmann/json.hpp>

#include "core/json_depth.hpp"

namespace qylon::server {
namespace {

using nlohmann::json;

constexpr int kDepthMax = 8;
constexpr double kSecondsMax = 1e6;

Error refused(std::size_t index) {
  return {ErrorCode::kInvalidArgument,
          "segment " + std::to_string(index) +
              " must be an object with a string id and the numbers start >= 0 and dur > 0"};
}

}  // namespace

Result<std::vector<SpeechSegment>> parse_speech_segments(std::string_view text) {
  const json document =
      json_is_deeper_than(text, kDepthMax) ? json() : json::parse(text, nullptr, false);
  if (!document.is_array()) {
    return Error{ErrorCode::kInvalidArgument, "the segments must be a JSON array"};
  }
  std::vector<SpeechSegment> segments;
  for (const json& entry : document) {
    const auto has = [&](const char* name) {
      return entry.is_object() && entry.contains(name) && entry[name].is_number();
    };
    if (!has("start") || !has("dur") || !entry.contains("id") || !entry["id"].is_string()) {
      return refused(segments.size());
    }
    const SpeechSegment segment{
        entry["id"].get<std::string>(), entry["start"].get<double>(), entry["dur"].get<double>()};
    const bool in_range = segment.start_s >= 0 && segment.start_s <= kSecondsMax &&
                          segment.duration_s > 0 && segment.duration_s <= kSecondsMax;
    if (!in_range) return refused(segments.size());
    segments.push_back(segment);
  }
  return segments;
}

}  // namespace qylon::server

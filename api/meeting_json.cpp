#include "api/meeting_json.hpp"

#include <nlohmann/json.hpp>

#include "core/json_depth.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::ordered_json;

Error invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

/// Checks a text field. PostgreSQL's text cannot hold U+0000, so nothing with one is let in.
Status check_text(const Json& field, std::string_view name, std::size_t chars_max) {
  if (!field.is_string()) return invalid(std::string(name) + " must be a string");
  const auto& text = field.get_ref<const std::string&>();
  if (text.find('\0') != std::string::npos) {
    return invalid(std::string(name) + " must not contain U+0000");
  }
  if (count_code_points(text) > chars_max) {
    return invalid(std::string(name) + " is longer than " + std::to_string(chars_max) +
                   " characters");
  }
  return ok();
}

Result<std::vector<std::string>> parse_glossary(const Json& field) {
  if (!field.is_array()) return invalid("glossary must be an array of words");
  if (field.size() > kGlossaryWordsMax) {
    return invalid("glossary has more than " + std::to_string(kGlossaryWordsMax) + " words");
  }
  std::vector<std::string> words;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const std::string name = "glossary[" + std::to_string(i) + "]";
    const Status status = check_text(field[i], name, kGlossaryWordCharsMax);
    if (!status) return status.error();
    words.push_back(field[i].get<std::string>());
    if (words.back().empty()) return invalid(name + " is empty");
  }
  return words;
}

Result<MeetingRequest> read_meeting(const Json& document) {
  MeetingRequest request;
  if (!document.is_object()) {
    return invalid("the body must be an object like {\"title\":\"...\",\"glossary\":[\"...\"]}");
  }
  if (const auto title = document.find("title"); title != document.end()) {
    const Status status = check_text(*title, "title", kTitleCharsMax);
    if (!status) return status.error();
    request.title = title->get<std::string>();
  }
  if (const auto glossary = document.find("glossary"); glossary != document.end()) {
    auto words = parse_glossary(*glossary);
    if (!words) return words.error();
    request.glossary = std::move(*words);
  }
  return request;
}

Json time_json(const std::optional<std::int64_t>& wall_us) {
  return wall_us ? Json(format_utc(*wall_us)) : Json(nullptr);
}

Json meeting_json(const MeetingInfo& meeting) {
  return {{"id", meeting.id.to_string()},
          {"epoch", meeting.epoch.to_string()},
          {"title", meeting.title},
          {"state", meeting_state_name(meeting.state)},
          {"glossary", meeting.glossary},
          {"created_at", format_utc(meeting.created_us)},
          {"started_at", time_json(meeting.started_us)},
          {"ended_at", time_json(meeting.ended_us)}};
}

/// Never throws: bytes that are not UTF-8 become U+FFFD.
std::string printed(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<MeetingRequest> parse_meeting_request(std::string_view body) {
  if (body.empty()) return MeetingRequest{};
  if (!is_utf8(body)) return invalid("the body is not UTF-8");
  if (json_is_deeper_than(body, kJsonDepthMax)) {
    return invalid("the body nests deeper than " + std::to_string(kJsonDepthMax) + " levels");
  }
  const Json document = Json::parse(body, nullptr, false);
  if (document.is_discarded()) return invalid("the body is not JSON (RFC 8259)");
  return read_meeting(document);
}

std::string meeting_to_json(const MeetingInfo& meeting) {
  return printed(meeting_json(meeting));
}

std::string meetings_to_json(std::span<const MeetingInfo> meetings, std::string_view cursor) {
  Json list = Json::array();
  for (const MeetingInfo& meeting : meetings)
    list.push_back(meeting_json(meeting));
  return printed(
      {{"meetings", std::move(list)}, {"next", cursor.empty() ? Json(nullptr) : Json(cursor)}});
}

std::string tracks_to_json(std::span<const TrackItem> tracks) {
  Json list = Json::array();
  for (const TrackItem& track : tracks) {
    list.push_back({{"track", track.track},
                    {"label", track.label},
                    {"speaker", track.speaker},
                    {"codec", track.codec},
                    {"audio_bytes", track.audio_bytes ? Json(*track.audio_bytes) : Json()}});
  }
  return printed({{"tracks", std::move(list)}});
}

}  // namespace qylon::api

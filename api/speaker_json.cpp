#include "api/speaker_json.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "api/meeting_json.hpp"
#include "core/json_depth.hpp"
#include "core/utf8.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::ordered_json;

Error invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

Status read_name(const Json& document, const char* field, std::string& out) {
  const auto found = document.find(field);
  if (found == document.end()) return ok();
  if (!found->is_string()) return invalid(std::string(field) + " must be a string");
  const auto& text = found->get_ref<const std::string&>();
  const bool controls = std::ranges::any_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20;  // No name goes over several lines.
  });
  if (controls || count_code_points(text) > kSpeakerNameCharsMax) {
    return invalid(std::string(field) + " must have at most " +
                   std::to_string(kSpeakerNameCharsMax) + " characters and no control character");
  }
  out = text;
  return ok();
}

Status read_captions(const Json& document, std::vector<std::uint64_t>& out) {
  const auto found = document.find("captions");
  if (found == document.end()) return ok();
  const auto wrong = [] {
    return invalid("captions must be an array of at most " +
                   std::to_string(SpeakerChange::kCaptionsMax) + " offsets of finals");
  };
  if (!found->is_array() || found->size() > SpeakerChange::kCaptionsMax) return wrong();
  for (const Json& offset : *found) {
    if (!offset.is_number_unsigned() || offset.get<std::uint64_t>() == 0) return wrong();
    out.push_back(offset.get<std::uint64_t>());
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return ok();
}

}  // namespace

Result<SpeakerRequest> parse_speaker_request(std::string_view body) {
  if (json_is_deeper_than(body, kJsonDepthMax)) return invalid("the JSON nests too deep");
  const Json document = Json::parse(body, nullptr, false);
  if (!document.is_object()) return invalid("the body must be a JSON object");
  SpeakerRequest request;
  for (const Status& status : {read_name(document, "name", request.name),
                               read_name(document, "into", request.into),
                               read_captions(document, request.captions)}) {
    if (!status) return status.error();
  }
  return request;
}

std::string speakers_to_json(std::span<const Speaker> speakers, std::span<const VoiceHint> hints) {
  constexpr std::array<std::string_view, 4> kProvenances{"track", "cluster", "enrolled", "manual"};
  Json list = Json::array();
  for (const Speaker& speaker : speakers) {
    list.push_back(
        Json{{"key", speaker.key},
             {"name", speaker.name},
             {"provenance", kProvenances[static_cast<std::size_t>(speaker.provenance)]}});
  }
  Json told = Json::array();
  for (const VoiceHint& hint : hints)
    told.push_back(Json{{"kind", voice_hint_name(hint.kind)}, {"tracks", hint.tracks}});
  return Json{{"speakers", std::move(list)}, {"hints", std::move(told)}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

std::string correction_to_json(std::uint64_t offset) {
  return Json{{"offset", offset}}.dump();
}

}  // namespace qylon::api

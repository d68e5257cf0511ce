#include "api/voice_json.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/identity/text_codes.hpp"
#include "api/meeting_json.hpp"
#include "api/speaker_json.hpp"
#include "core/json_depth.hpp"
#include "core/utf8.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::ordered_json;

Error invalid(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

/// A line of text; absent it stays empty.
Status read_line(const Json& object, const char* field, std::size_t chars_max, std::string& out) {
  const auto found = object.find(field);
  if (found == object.end()) return ok();
  const auto* const text = found->get_ptr<const std::string*>();
  const bool controls = text != nullptr && std::ranges::any_of(*text, [](char c) {
                          return static_cast<unsigned char>(c) < 0x20;
                        });
  if (text == nullptr || controls || count_code_points(*text) > chars_max) {
    return invalid(std::string(field) + " must be a string of at most " +
                   std::to_string(chars_max) + " characters without control characters");
  }
  out = *text;
  return ok();
}

Status read_time(const Json& object, const char* field, std::optional<std::string>& out) {
  constexpr std::size_t kTimeCharsMax = 40;
  std::string text;
  const Status read = read_line(object, field, kTimeCharsMax, text);
  if (!read) return read.error();
  if (text.empty()) return ok();
  const bool dated = text.size() >= 20 && text[4] == '-' && text[7] == '-' && text[10] == 'T';
  if (!dated) {
    return invalid(std::string(field) + " must be a time such as 2027-01-31T12:00:00Z (RFC 3339)");
  }
  out = std::move(text);
  return ok();
}

Status read_clip(const Json& document, std::string& out) {
  const auto found = document.find("clip");
  if (found == document.end()) return ok();
  std::string text = found->is_string() ? found->get<std::string>() : "!";
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  while (text.ends_with('='))
    text.pop_back();
  auto bytes = parse_base64url(text);
  if (!bytes || bytes->empty()) return invalid("clip must be a WAV file in base64 (RFC 4648)");
  out = *std::move(bytes);
  return ok();
}

}  // namespace

Result<VoiceRequest> parse_voice_request(std::string_view body) {
  constexpr std::size_t kConsentCharsMax = 200;
  if (json_is_deeper_than(body, kJsonDepthMax)) return invalid("the JSON nests too deep");
  const Json document = Json::parse(body, nullptr, false);
  if (!document.is_object()) return invalid("the body must be a JSON object");
  const auto consent = document.find("consent");
  if (consent == document.end() || !consent->is_object())
    return invalid("consent must say who agreed to what: {\"by\":\"...\",\"text\":\"...\"}");
  VoiceRequest request;
  for (const Status& status : {read_line(document, "name", kSpeakerNameCharsMax, request.name),
                               read_line(*consent, "by", kConsentCharsMax, request.consent_by),
                               read_line(*consent, "text", kConsentCharsMax, request.consent_text),
                               read_time(*consent, "at", request.consent_at),
                               read_time(document, "expires_at", request.expires_at),
                               read_clip(document, request.clip)}) {
    if (!status) return status.error();
  }
  if (request.consent_by.empty() || request.consent_text.empty())
    return invalid("consent.by must name who agreed, consent.text which text to");
  return request;
}

}  // namespace qylon::api

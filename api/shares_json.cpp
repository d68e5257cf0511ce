#include "api/shares_json.hpp"

#include <nlohmann/json.hpp>

#include "api/meeting_json.hpp"
#include "core/json_depth.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::ordered_json;

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

/// An empty body is an empty object.
Result<Json> parse_object(std::string_view body) {
  if (body.empty()) return Json::object();
  if (json_is_deeper_than(body, kJsonDepthMax)) return invalid("the JSON is nested too deep");
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return invalid("the body must be a JSON object");
  return json;
}

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Result<TicketRequest> parse_ticket_request(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return json.error();
  TicketRequest request;
  request.share = text_of(*json, "share");
  if (!request.share.empty()) return request;
  const auto meeting = MeetingId::parse(text_of(*json, "meeting"));
  if (!meeting)
    return invalid("meeting must be the meeting's id, a UUID, or share a link's secret");
  request.meeting = *meeting;
  const std::string verb = text_of(*json, "verb");
  if (verb != "subscribe" && verb != "uplink") return invalid("verb must be subscribe or uplink");
  request.verb = verb == "uplink" ? MeetingVerb::kSpeak : MeetingVerb::kSee;
  return request;
}

Result<std::int64_t> parse_share_request(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return json.error();
  const auto found = json->find("expires_in_s");
  if (found == json->end()) return std::int64_t{24} * 3600;
  const bool is_number = found->is_number_integer();
  const std::int64_t seconds = is_number ? found->get<std::int64_t>() : 0;
  if (seconds >= kShareSecondsMin && seconds <= kShareSecondsMax) return seconds;
  return invalid("expires_in_s must be a number from 60 to " + std::to_string(kShareSecondsMax));
}

std::string ticket_to_json(std::string_view ticket, const MeetingPass& pass) {
  return Json{{"ticket", ticket},
              {"meeting", pass.meeting.to_string()},
              {"verb", pass.verb == MeetingVerb::kSpeak ? "uplink" : "subscribe"},
              {"expires_in_s", 60},
              {"session_s", pass.session_us / 1'000'000}}
      .dump();
}

}  // namespace qylon::api

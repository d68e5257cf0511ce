#include "bench/loadgen/viewer_message_json.hpp"

#include <functional>

#include <nlohmann/json.hpp>

namespace qylon::loadgen {
namespace {

using nlohmann::json;
using Kind = ViewerMessage::Kind;

Error wrong(const std::string& what) {
  return {ErrorCode::kInvalidArgument, "the server sent " + what};
}

std::int64_t integer_of(const json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

std::string text_of(const json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

/// What every copy of a final must say alike, whichever way it came.
std::uint64_t content_of(const json& caption) {
  json same;
  for (const char* name :
       {"offset", "segment", "track", "start_ms", "end_ms", "text", "kind", "from", "captions"}) {
    const auto at = caption.find(name);
    if (at != caption.end()) same[name] = *at;
  }
  return std::hash<std::string>{}(same.dump());
}

Result<ViewerMessage> read_final(const json& caption) {
  ViewerMessage message;
  message.kind = Kind::kFinal;
  message.position.offset = static_cast<std::uint64_t>(integer_of(caption, "offset"));
  if (message.position.offset == 0) return wrong("a final caption without an offset");
  message.text = text_of(caption, "text");
  message.end_ms = integer_of(caption, "end_ms");
  message.content = content_of(caption);
  return message;
}

Result<ViewerMessage> read_caption(const json& caption) {
  const auto final = caption.find("final");
  if (final == caption.end() || !final->is_boolean()) return wrong("a caption without `final`");
  if (final->get<bool>()) return read_final(caption);
  ViewerMessage message;
  message.kind = Kind::kInterim;
  message.end_ms = integer_of(caption, "end_ms");
  return message;
}

Result<ViewerMessage> read_position(const json& position) {
  ViewerMessage message;
  message.kind = Kind::kPosition;
  message.position.epoch = text_of(position, "epoch");
  message.position.offset = static_cast<std::uint64_t>(integer_of(position, "offset"));
  const auto recovered = position.find("recovered");
  message.recovered = recovered != position.end() && recovered->is_boolean() && *recovered;
  if (message.position.epoch.empty()) return wrong("a position without an epoch");
  return message;
}

}  // namespace

std::string print_subscribe(MeetingId meeting,
                            const std::optional<Position>& from,
                            const std::string& token) {
  json message = {{"type", "subscribe"},
                  {"topics", json::array({"meeting/" + meeting.to_string() + "/captions"})}};
  if (from) message["from"] = {{"epoch", from->epoch}, {"offset", from->offset}};
  if (!token.empty()) message["token"] = token;
  return message.dump();
}

Result<ViewerMessage> parse_viewer_message(std::string_view text) {
  const json message = json::parse(text, nullptr, false);
  if (!message.is_object()) return wrong("a message that is not a JSON object");
  const std::string type = text_of(message, "type");
  if (type == "position") return read_position(message);
  if (type == "caption") return read_caption(message);
  if (type == "revision") return read_final(message);  // Numbered as a final, without words.
  ViewerMessage other;
  if (type != "error") return other;
  other.kind = Kind::kError;
  other.close = static_cast<int>(integer_of(message, "close"));
  other.retry_after_ms = integer_of(message, "retry_after_ms");
  return other;
}

Result<std::vector<ViewerMessage>> parse_transcript(std::string_view text) {
  const json transcript = json::parse(text, nullptr, false);
  const auto captions = transcript.find("captions");
  if (!transcript.is_object() || captions == transcript.end() || !captions->is_array())
    return wrong("a transcript without captions");
  std::vector<ViewerMessage> finals;
  for (const json& caption : *captions) {
    auto final = read_final(caption);
    if (!final) return final.error();
    finals.push_back(*std::move(final));
  }
  return finals;
}

}  // namespace qylon::loadgen

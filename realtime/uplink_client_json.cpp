#include "realtime/uplink_client_json.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace qylon::realtime {
namespace {

using nlohmann::json;

constexpr std::uint64_t kSeqMax = std::uint64_t{1} << 53U;
constexpr std::int64_t kRetryMsMax = 600'000;
constexpr std::size_t kMessageBytesMax = 500;

Error wrong(const std::string& what) {
  return {ErrorCode::kInvalidArgument, "the server sent " + what};
}

/// Member `name` of an object as a count of at most 2^53, or nothing.
std::optional<std::uint64_t> count_of(const json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_number_unsigned()) return std::nullopt;
  const auto value = at->get<std::uint64_t>();
  if (value > kSeqMax) return std::nullopt;
  return value;
}

std::string text_of(const json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_string()) return {};
  std::string text = at->get<std::string>().substr(0, kMessageBytesMax);
  // It is shown on a terminal, which must not take orders from a server.
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

Result<UplinkReply> read_welcome(const json& message, TrackId track) {
  const auto tracks = message.find("tracks");
  if (tracks == message.end() || !tracks->is_array()) return wrong("a welcome without tracks");
  for (const json& entry : *tracks) {
    if (!entry.is_object() || count_of(entry, "track") != track) continue;
    const auto next_seq = count_of(entry, "next_seq");
    if (!next_seq) break;
    UplinkReply reply;
    reply.kind = UplinkReply::Kind::kWelcome;
    reply.next_seq = *next_seq;
    return reply;
  }
  return wrong("a welcome without next_seq of track " + std::to_string(track));
}

Result<UplinkReply> read_ack(const json& message, TrackId track) {
  UplinkReply reply;
  const auto acknowledged = count_of(message, "track");
  if (!acknowledged) return wrong("an ack without a track");
  if (*acknowledged != track) return reply;
  const auto next_seq = count_of(message, "next_seq");
  if (!next_seq) return wrong("an ack without next_seq");
  reply.kind = UplinkReply::Kind::kAck;
  reply.next_seq = *next_seq;
  reply.durable = count_of(message, "durable");
  return reply;
}

UplinkReply read_error(const json& message) {
  UplinkReply reply;
  reply.kind = UplinkReply::Kind::kError;
  reply.code = text_of(message, "code");
  reply.message = text_of(message, "message");
  const auto close = count_of(message, "close");
  if (close && *close >= 1000 && *close <= 4999) reply.close = static_cast<int>(*close);
  const auto retry = count_of(message, "retry_after_ms");
  if (retry) {
    reply.retry_after_ms =
        static_cast<std::int64_t>(std::min(*retry, static_cast<std::uint64_t>(kRetryMsMax)));
  }
  return reply;
}

}  // namespace

std::string print_uplink_hello(const media::UplinkHello& hello) {
  json tracks = json::array();
  for (const media::TrackHello& track : hello.tracks) {
    json entry = {{"track", track.track},
                  {"codec", media::codec_name(track.format.codec)},
                  {"sample_rate_hz", track.format.sample_rate_hz},
                  {"channels", track.format.channels}};
    if (!track.label.empty()) entry["label"] = track.label;
    if (!track.speaker.empty()) entry["speaker"] = track.speaker;
    tracks.push_back(std::move(entry));
  }
  json clock = {{"id", hello.clock.to_string()}};
  if (hello.clock_start_ms) clock["start_ms"] = *hello.clock_start_ms;
  const json message = {{"type", "hello"},
                        {"meeting", hello.meeting.to_string()},
                        {"clock", std::move(clock)},
                        {"tracks", std::move(tracks)}};
  // A label that is not UTF-8 came from a command line; it is mended, not a reason to throw.
  return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<UplinkReply> parse_uplink_reply(std::string_view text, TrackId track) {
  const json message = json::parse(text, nullptr, false);
  if (!message.is_object()) return wrong("a message that is not a JSON object");
  const auto type = message.find("type");
  if (type == message.end() || !type->is_string()) return wrong("a message without a type");
  if (*type == "welcome") return read_welcome(message, track);
  if (*type == "ack") return read_ack(message, track);
  if (*type == "error") return read_error(message);
  return UplinkReply{};
}

}  // namespace qylon::realtime

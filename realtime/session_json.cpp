#include "realtime/session_json.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/json_depth.hpp"

namespace qylon::realtime {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLabelBytesMax = 200;
constexpr std::size_t kTokenBytesMax = 4096;
constexpr std::int64_t kExactMax = (std::int64_t{1} << 53) - 1;  // A double holds it exactly.

Error wrong(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

Result<Json> parse_object(std::string_view text) {
  if (text.size() > kMessageBytesMax) return wrong("a message has at most 16384 bytes");
  if (json_is_deeper_than(text, kMessageDepthMax)) return wrong("a message has at most 32 levels");
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return wrong("a message must be one JSON object in UTF-8");
  return json;
}

std::string type_of(const Json& json) {
  const auto type = json.find("type");
  if (type == json.end() || !type->is_string()) return {};
  return type->get<std::string>();
}

Result<std::string> text_field(const Json& json, const char* name, std::size_t bytes_max) {
  const auto field = json.find(name);
  if (field == json.end() || field->is_null()) return std::string();
  if (!field->is_string()) return wrong(std::string(name) + " must be a string");
  std::string text = field->get<std::string>();
  const bool has_control =
      std::any_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < 0x20; });
  if (text.size() > bytes_max || has_control) {
    return wrong(std::string(name) + " must have at most " + std::to_string(bytes_max) +
                 " bytes and no control characters");
  }
  return text;
}

struct IntegerField {
  const char* name;
  std::int64_t min;
  std::int64_t max;
};

Result<std::int64_t> integer_field(const Json& json, const IntegerField& wanted) {
  const auto field = json.find(wanted.name);
  const bool is_integer = field != json.end() && field->is_number_integer();
  // An unsigned number beyond int64 would wrap to a negative one.
  const bool fits =
      is_integer && (!field->is_number_unsigned() ||
                     field->get<std::uint64_t>() <= static_cast<std::uint64_t>(kExactMax));
  if (fits) {
    const auto value = field->get<std::int64_t>();
    if (value >= wanted.min && value <= wanted.max) return value;
  }
  return wrong(std::string(wanted.name) + " must be an integer from " + std::to_string(wanted.min) +
               " to " + std::to_string(wanted.max));
}

/// 0 when the field is absent.
Result<std::int64_t> optional_integer_field(const Json& json, const IntegerField& wanted) {
  if (!json.contains(wanted.name)) return std::int64_t{0};
  return integer_field(json, wanted);
}

template <typename Id>
std::optional<Id> id_field(const Json& json, const char* name) {
  const auto field = json.find(name);
  if (field == json.end() || !field->is_string()) return std::nullopt;
  return Id::parse(field->get_ref<const std::string&>());
}

Result<HelloMessage::Track> read_track(const Json& json) {
  if (!json.is_object()) return wrong("each of tracks must be an object");
  const auto track = integer_field(json, {"track", 0, 65'535});
  if (!track) return track.error();
  auto codec = text_field(json, "codec", 32);
  if (!codec) return codec.error();
  const auto rate = optional_integer_field(json, {"sample_rate_hz", 1, 1'000'000});
  if (!rate) return rate.error();
  const auto channels = optional_integer_field(json, {"channels", 1, 255});
  if (!channels) return channels.error();
  auto label = text_field(json, "label", kLabelBytesMax);
  if (!label) return label.error();
  auto speaker = text_field(json, "speaker", kLabelBytesMax);
  if (!speaker) return speaker.error();
  return HelloMessage::Track{static_cast<TrackId>(*track),
                             *std::move(codec),
                             static_cast<int>(*rate),
                             static_cast<int>(*channels),
                             *std::move(label),
                             *std::move(speaker)};
}

Status read_tracks(const Json& json, std::vector<HelloMessage::Track>& tracks) {
  const auto list = json.find("tracks");
  if (list == json.end() || !list->is_array() || list->empty() || list->size() > kTracksMax)
    return wrong("tracks must be a list of 1 to 32 tracks");
  for (const Json& item : *list) {
    auto track = read_track(item);
    if (!track) return track.error();
    for (const auto& other : tracks) {
      if (other.track == track->track) return wrong("track numbers in tracks must differ");
    }
    tracks.push_back(*std::move(track));
  }
  return ok();
}

Result<HelloMessage> read_hello(const Json& json) {
  HelloMessage hello;
  const auto meeting = id_field<MeetingId>(json, "meeting");
  if (!meeting) return wrong("meeting must be the id of a meeting, a UUID");
  hello.meeting = *meeting;
  const auto clock = json.find("clock");
  if (clock == json.end() || !clock->is_object())
    return wrong("clock must be an object with an id");
  const auto clock_id = id_field<ClockId>(*clock, "id");
  if (!clock_id) return wrong("clock.id must be a UUID");
  hello.clock = *clock_id;
  if (clock->contains("start_ms") && !clock->at("start_ms").is_null()) {
    const auto start = integer_field(*clock, {"start_ms", -kExactMax, kExactMax});
    if (!start) return start.error();
    hello.clock_start_ms = *start;
  }
  auto token = text_field(json, "token", kTokenBytesMax);
  if (!token) return token.error();
  hello.token = *std::move(token);
  const Status tracks = read_tracks(json, hello.tracks);
  if (!tracks) return tracks.error();
  return hello;
}

Status read_topics(const Json& json, std::vector<TopicName>& topics) {
  const auto list = json.find("topics");
  if (list == json.end() || !list->is_array() || list->empty() || list->size() > kTopicsMax)
    return wrong("topics must be a list of 1 to 128 topics");
  for (const Json& item : *list) {
    const auto topic =
        item.is_string() ? parse_topic(item.get_ref<const std::string&>()) : std::nullopt;
    if (!topic) return wrong("a topic must be meeting/UUID/captions, .../status or .../levels");
    if (std::find(topics.begin(), topics.end(), *topic) == topics.end()) topics.push_back(*topic);
  }
  return ok();
}

Result<SubscribeMessage> read_subscribe(const Json& json) {
  SubscribeMessage subscribe;
  const Status topics = read_topics(json, subscribe.topics);
  if (!topics) return topics.error();
  auto token = text_field(json, "token", kTokenBytesMax);
  if (!token) return token.error();
  subscribe.token = *std::move(token);
  const auto from = json.find("from");
  if (from == json.end() || from->is_null()) return subscribe;
  if (!from->is_object()) return wrong("from must be an object with epoch and offset");
  const auto epoch = id_field<Epoch>(*from, "epoch");
  if (!epoch) return wrong("from.epoch must be a UUID");
  const auto offset = integer_field(*from, {"offset", 0, kExactMax});
  if (!offset) return offset.error();
  subscribe.from = ResumeFrom{*epoch, static_cast<std::uint64_t>(*offset)};
  return subscribe;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

constexpr std::array<std::pair<Topic, std::string_view>, 3> kTopicNames{
    {{Topic::kCaptions, "captions"}, {Topic::kStatus, "status"}, {Topic::kLevels, "levels"}}};

}  // namespace

std::optional<TopicName> parse_topic(std::string_view text) {
  constexpr std::string_view kPrefix = "meeting/";
  constexpr std::size_t kUuidLength = 36;
  if (text.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  if (text.size() <= kUuidLength || text[kUuidLength] != '/') return std::nullopt;
  const auto meeting = MeetingId::parse(text.substr(0, kUuidLength));
  if (!meeting) return std::nullopt;
  for (const auto& [topic, name] : kTopicNames) {
    if (text.substr(kUuidLength + 1) == name) return TopicName{*meeting, topic};
  }
  return std::nullopt;
}

std::string topic_text(const TopicName& topic) {
  const auto index = static_cast<std::size_t>(topic.topic);
  return "meeting/" + topic.meeting.to_string() + "/" + std::string(kTopicNames[index].second);
}

Result<UplinkMessage> parse_uplink_message(std::string_view text) {
  const auto json = parse_object(text);
  if (!json) return json.error();
  const std::string type = type_of(*json);
  if (type == "ping") return UplinkMessage(PingMessage{});
  if (type != "hello") return wrong("type must be hello or ping on /v1/uplink");
  auto hello = read_hello(*json);
  if (!hello) return hello.error();
  return UplinkMessage(*std::move(hello));
}

Result<SubscriberMessage> parse_subscriber_message(std::string_view text) {
  const auto json = parse_object(text);
  if (!json) return json.error();
  const std::string type = type_of(*json);
  if (type == "ping") return SubscriberMessage(PingMessage{});
  if (type == "subscribe") {
    auto subscribe = read_subscribe(*json);
    if (!subscribe) return subscribe.error();
    return SubscriberMessage(*std::move(subscribe));
  }
  if (type != "unsubscribe")
    return wrong("type must be subscribe, unsubscribe or ping on /v1/subscribe");
  UnsubscribeMessage unsubscribe;
  const Status topics = read_topics(*json, unsubscribe.topics);
  if (!topics) return topics.error();
  return SubscriberMessage(std::move(unsubscribe));
}

std::string encode_error(const ErrorMessage& error) {
  Json json{{"type", "error"}, {"code", error_name(error.code)}};
  if (error.close != 0) json["close"] = error.close;
  json["message"] = error.message;
  if (error.retry_after_ms > 0) json["retry_after_ms"] = error.retry_after_ms;
  return dump(json);
}

std::string encode_pong() {
  return R"({"type":"pong"})";
}

std::string encode_welcome(MeetingId meeting, const std::vector<TrackNext>& tracks) {
  Json list = Json::array();
  for (const TrackNext& next : tracks)
    list.push_back(Json{{"track", next.track}, {"next_seq", next.next_seq}});
  return dump(
      Json{{"type", "welcome"}, {"meeting", meeting.to_string()}, {"tracks", std::move(list)}});
}

std::string encode_ack(const TrackNext& next, std::optional<std::uint64_t> durable) {
  Json json{{"type", "ack"}, {"track", next.track}, {"next_seq", next.next_seq}};
  json["durable"] = durable ? Json(*durable) : Json(nullptr);
  return dump(json);
}

std::string encode_position(const TopicName& topic, const CaptionCursor::Position& position) {
  return dump(Json{{"type", "position"},
                   {"topic", topic_text(topic)},
                   {"epoch", position.epoch.to_string()},
                   {"offset", position.offset},
                   {"recovered", position.recovered}});
}

}  // namespace qylon::realtime

#pragma once
/// The JSON messages of qylon.v1 (docs/PROTOCOL.md): what clients say, read and checked, and what
/// sessions answer.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "realtime/caption_cursor.hpp"
#include "realtime/hub.hpp"

namespace qylon::realtime {

inline constexpr std::size_t kMessageBytesMax = 16 << 10;
inline constexpr int kMessageDepthMax = 32;
inline constexpr std::size_t kTracksMax = 32;
inline constexpr std::size_t kTopicsMax = 128;

struct PingMessage {};

/// A hello whose formats are not judged yet: media::make_audio_format does that.
struct HelloMessage {
  struct Track {
    TrackId track = 0;
    std::string codec;
    int sample_rate_hz = 0;  ///< 0: not said.
    int channels = 0;        ///< 0: not said.
    std::string label;
    std::string speaker;
  };
  MeetingId meeting;
  ClockId clock;
  std::optional<std::int64_t> clock_start_ms;
  std::vector<Track> tracks;  ///< 1..kTracksMax, distinct numbers.
  std::string token;
};

struct TopicName {
  MeetingId meeting;
  Topic topic = Topic::kCaptions;

  bool operator==(const TopicName&) const = default;
};

struct SubscribeMessage {
  std::vector<TopicName> topics;  ///< 1..kTopicsMax.
  std::optional<ResumeFrom> from;
  std::string token;
};
struct UnsubscribeMessage {
  std::vector<TopicName> topics;
};

using UplinkMessage = std::variant<HelloMessage, PingMessage>;
using SubscriberMessage = std::variant<SubscribeMessage, UnsubscribeMessage, PingMessage>;

/// Errors: kInvalidArgument naming the field and what it must be. The nesting depth is checked
/// before anything is built from the text.
Result<UplinkMessage> parse_uplink_message(std::string_view text);
Result<SubscriberMessage> parse_subscriber_message(std::string_view text);

/// "meeting/UUID/captions".
std::string topic_text(const TopicName& topic);
std::optional<TopicName> parse_topic(std::string_view text);

struct ErrorMessage {
  ErrorCode code = ErrorCode::kInternal;
  int close = 0;  ///< 0: the connection goes on.
  std::string_view message;
  std::int64_t retry_after_ms = 0;  ///< 0: left out.
};
std::string encode_error(const ErrorMessage& error);
std::string encode_pong();

struct TrackNext {
  TrackId track = 0;
  std::uint64_t next_seq = 0;
};
std::string encode_welcome(MeetingId meeting, const std::vector<TrackNext>& tracks);
std::string encode_ack(const TrackNext& next, std::optional<std::uint64_t> durable);
std::string encode_position(const TopicName& topic, const CaptionCursor::Position& position);

}  // namespace qylon::realtime

#include <gtest/gtest.h>

#include "bench/loadgen/viewer_message_json.hpp"
#include "core/transcript.hpp"
#include "realtime/caption_json.hpp"
#include "realtime/session_json.hpp"

namespace qylon::loadgen {
namespace {

Caption caption(std::optional<std::uint64_t> offset) {
  Caption caption;
  caption.meeting = MeetingId::random();
  caption.offset = offset;
  caption.segment = 4;
  caption.end_ms = 1500;
  caption.text = "two words";
  return caption;
}

TEST(ViewerMessage, TheServersCaptionsAreRead) {
  const auto final = parse_viewer_message(realtime::encode_caption(caption(7)));
  ASSERT_TRUE(final);
  EXPECT_EQ(final->kind, ViewerMessage::Kind::kFinal);
  EXPECT_EQ(final->position.offset, 7U);
  EXPECT_EQ(final->text, "two words");
  EXPECT_EQ(final->end_ms, 1500);
  const auto interim = parse_viewer_message(realtime::encode_caption(caption(std::nullopt)));
  ASSERT_TRUE(interim);
  EXPECT_EQ(interim->kind, ViewerMessage::Kind::kInterim);
}

TEST(ViewerMessage, ContentTellsCaptionsApartByWhatIsStored) {
  Caption other = caption(7);
  const auto content = [](const Caption& of) {
    return parse_viewer_message(realtime::encode_caption(of))->content;
  };
  const std::uint64_t before = content(other);
  other.revision = 3;  // Not stored.
  EXPECT_EQ(content(other), before);
  other.text = "two worlds";
  EXPECT_NE(content(other), before);
}

TEST(ViewerMessage, TheServersErrorsAreRead) {
  const auto error = parse_viewer_message(realtime::encode_error(
      {.code = ErrorCode::kOverloaded, .close = 4006, .message = "busy", .retry_after_ms = 1500}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ViewerMessage::Kind::kError);
  EXPECT_EQ(error->close, 4006);
  EXPECT_EQ(error->retry_after_ms, 1500);
}

TEST(ViewerMessage, TheServerUnderstandsASubscription) {
  const MeetingId meeting = MeetingId::random();
  const std::string epoch = Epoch::random().to_string();
  const auto parsed =
      realtime::parse_subscriber_message(print_subscribe(meeting, Position{epoch, 41}, "secret"));
  ASSERT_TRUE(parsed);
  const auto* const subscribe = std::get_if<realtime::SubscribeMessage>(&*parsed);
  ASSERT_NE(subscribe, nullptr);
  EXPECT_EQ(subscribe->topics.at(0).meeting, meeting);
  EXPECT_EQ(subscribe->token, "secret");
  EXPECT_EQ(subscribe->from->offset, 41U);
}

TEST(ViewerMessage, GarbageIsAnError) {
  for (const char* text : {"",
                           "[]",
                           "{\"type\":\"caption\"}",
                           "{\"type\":\"position\"}",
                           "{\"type\":\"caption\",\"final\":true}"})
    EXPECT_FALSE(parse_viewer_message(text)) << text;
  EXPECT_FALSE(parse_transcript("{}"));
  EXPECT_FALSE(parse_transcript(R"({"captions":[{"text":"no offset"}]})"));
}

}  // namespace
}  // namespace qylon::loadgen

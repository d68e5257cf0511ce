#include "realtime/session_json.hpp"

#include <string>
#include <variant>

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

constexpr const char* kUuid = "11111111-2222-4333-8444-555555555555";

// The example of docs/PROTOCOL.md.
TEST(SessionJson, AHelloIsReadFieldByField) {
  const auto message = parse_uplink_message(
      R"({"type":"hello","meeting":"11111111-2222-4333-8444-555555555555",)"
      R"("clock":{"id":"11111111-2222-4333-8444-555555555556","start_ms":250},"token":"t",)"
      R"("tracks":[{"track":9,"codec":"opus","sample_rate_hz":48000,"channels":2,)"
      R"("label":"Room","speaker":"Ann"}],"unknown":[1,2]})");
  ASSERT_TRUE(message) << message.error().message;
  const auto& hello = std::get<HelloMessage>(*message);
  EXPECT_EQ(hello.meeting.to_string(), kUuid);
  EXPECT_EQ(hello.clock_start_ms, 250);
  EXPECT_EQ(hello.token, "t");
  ASSERT_EQ(hello.tracks.size(), 1U);
  EXPECT_EQ(hello.tracks[0].track, 9);
  EXPECT_EQ(hello.tracks[0].codec, "opus");
  EXPECT_EQ(hello.tracks[0].sample_rate_hz, 48'000);
  EXPECT_EQ(hello.tracks[0].channels, 2);
  EXPECT_EQ(hello.tracks[0].label, "Room");
  EXPECT_EQ(hello.tracks[0].speaker, "Ann");
}

TEST(SessionJson, TheErrorNamesTheField) {
  const auto message = parse_uplink_message(
      R"({"type":"hello","meeting":"11111111-2222-4333-8444-555555555555",)"
      R"("clock":{"id":"11111111-2222-4333-8444-555555555556"},"tracks":[{"track":-1}]})");
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().message, "track must be an integer from 0 to 65535");
}

TEST(SessionJson, NestingIsLimitedAndBracketsInTextAreNot) {
  const auto nested = [](int depth) {
    return R"({"type":"ping","a":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  EXPECT_TRUE(parse_uplink_message(nested(31)));
  EXPECT_FALSE(parse_uplink_message(nested(32)));
  EXPECT_TRUE(parse_uplink_message(R"({"type":"ping","a":")" + std::string(100, '[') + "\"}"));
}

TEST(SessionJson, ASubscribeHasTopicsAndAPosition) {
  const std::string topic = std::string("meeting/") + kUuid + "/captions";
  const auto message =
      parse_subscriber_message(R"({"type":"subscribe","topics":[")" + topic + "\",\"" + topic +
                               R"("],"from":{"epoch":")" + kUuid + R"(","offset":41}})");
  ASSERT_TRUE(message) << message.error().message;
  const auto& subscribe = std::get<SubscribeMessage>(*message);
  ASSERT_EQ(subscribe.topics.size(), 1U);  // The second is the same.
  EXPECT_EQ(topic_text(subscribe.topics[0]), topic);
  EXPECT_EQ(subscribe.from->offset, 41U);
}

TEST(SessionJson, ATopicIsReadExactly) {
  const std::string prefix = std::string("meeting/") + kUuid;
  for (const char* const name : {"/captions", "/status", "/levels"})
    EXPECT_EQ(topic_text(*parse_topic(prefix + name)), prefix + name);
  for (const std::string& text : {prefix,
                                  prefix + "/",
                                  prefix + "/captions/",
                                  prefix + "captions",
                                  "Meeting/" + std::string(kUuid) + "/captions",
                                  std::string()})
    EXPECT_FALSE(parse_topic(text)) << text;
}

TEST(SessionJson, AnErrorLeavesOutWhatItHasNot) {
  EXPECT_EQ(encode_error({ErrorCode::kOverloaded, 4005, "slow down", 1500}),
            R"({"type":"error","code":"overloaded","close":4005,"message":"slow down",)"
            R"("retry_after_ms":1500})");
  EXPECT_EQ(encode_error({ErrorCode::kNotFound, 0, "x", 0}),
            R"({"type":"error","code":"not_found","message":"x"})");
}

TEST(SessionJson, AnAckWithoutADiskSaysNull) {
  EXPECT_EQ(encode_ack({0, 57}, 50), R"({"type":"ack","track":0,"next_seq":57,"durable":50})");
  EXPECT_EQ(encode_ack({0, 57}, std::nullopt),
            R"({"type":"ack","track":0,"next_seq":57,"durable":null})");
}

}  // namespace
}  // namespace qylon::realtime

#include "realtime/uplink_client_json.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace qylon::realtime {
namespace {

using Kind = UplinkReply::Kind;

TEST(UplinkHello, HasTheDocumentedFields) {
  media::UplinkHello hello;
  hello.meeting = *MeetingId::parse("0e7b5c3a-5a36-4a86-8a3a-3f7f2c7d9a01");
  hello.clock = *ClockId::parse("11111111-2222-4333-8444-555555555555");
  hello.clock_start_ms = 1500;
  hello.tracks.push_back({.track = 7, .format = {}, .label = "Room \"A\"", .speaker = "Ann"});
  // docs/PROTOCOL.md, "Uplink", 1.
  const auto expected = nlohmann::json::parse(R"({
    "type":"hello","meeting":"0e7b5c3a-5a36-4a86-8a3a-3f7f2c7d9a01",
    "clock":{"id":"11111111-2222-4333-8444-555555555555","start_ms":1500},
    "tracks":[{"track":7,"codec":"opus","sample_rate_hz":48000,"channels":1,
               "label":"Room \"A\"","speaker":"Ann"}]})");
  EXPECT_EQ(nlohmann::json::parse(print_uplink_hello(hello)), expected);
}

TEST(UplinkHello, MendsALabelThatIsNotUtf8) {
  media::UplinkHello hello;
  hello.tracks.push_back({.track = 0, .format = {}, .label = "\xFF", .speaker = ""});
  const auto printed = nlohmann::json::parse(print_uplink_hello(hello));
  EXPECT_EQ(printed["tracks"][0]["label"], "\uFFFD");
}

TEST(UplinkReply, WelcomeGivesTheTracksNextSeq) {
  const auto reply = parse_uplink_reply(
      R"({"type":"welcome","tracks":[{"track":1,"next_seq":5},{"track":2,"next_seq":9}]})", 2);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->kind, Kind::kWelcome);
  EXPECT_EQ(reply->next_seq, 9U);
}

TEST(UplinkReply, AckWithoutADiskHasNoDurable) {
  const auto reply =
      parse_uplink_reply(R"({"type":"ack","track":0,"next_seq":57,"durable":null})", 0);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->next_seq, 57U);
  EXPECT_FALSE(reply->durable);
}

TEST(UplinkReply, AckOfAnotherTrackIsNotOurs) {
  const auto reply = parse_uplink_reply(R"({"type":"ack","track":1,"next_seq":5,"durable":5})", 0);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->kind, Kind::kOther);
}

TEST(UplinkReply, ErrorKeepsTheServersWordsButNoControlCharacters) {
  const auto reply = parse_uplink_reply(R"({"type":"error","code":"overloaded","close":4006,)"
                                        R"("message":"a\u001b[2Jb","retry_after_ms":99999999})",
                                        0);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->close, 4006);
  EXPECT_EQ(reply->message, "a [2Jb");
  EXPECT_EQ(reply->retry_after_ms, 600'000);
}

TEST(UplinkReply, UnknownTypesAreSkipped) {
  const auto reply = parse_uplink_reply(R"({"type":"pong"})", 0);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->kind, Kind::kOther);
}

class BrokenReply : public ::testing::TestWithParam<const char*> {};

TEST_P(BrokenReply, IsAnError) {
  EXPECT_FALSE(parse_uplink_reply(GetParam(), 0)) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    BrokenReply,
    ::testing::Values("",
                      "{",
                      "null",
                      "[]",
                      "{}",
                      R"({"type":1})",
                      R"({"type":"welcome"})",
                      R"({"type":"welcome","tracks":{}})",
                      R"({"type":"welcome","tracks":[{"track":1,"next_seq":0}]})",
                      R"({"type":"welcome","tracks":[{"track":0,"next_seq":-1}]})",
                      R"({"type":"welcome","tracks":[{"track":0,"next_seq":9007199254740993}]})",
                      R"({"type":"ack"})",
                      R"({"type":"ack","track":0})",
                      R"({"type":"ack","track":0,"next_seq":1.5})",
                      "\xFF"));

}  // namespace
}  // namespace qylon::realtime

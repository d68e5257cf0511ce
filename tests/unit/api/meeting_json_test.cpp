#include "api/meeting_json.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

std::string refusal(const std::string& body) {
  const auto request = parse_meeting_request(body);
  EXPECT_FALSE(request) << body;
  if (request) return "";
  EXPECT_EQ(request.error().code, ErrorCode::kInvalidArgument);
  return request.error().message;
}

TEST(MeetingRequest, TakesTitleAndGlossary) {
  const auto request =
      parse_meeting_request(R"({"title":"Plan \u00e9","glossary":["Qylon","Zoë"],"other":[{}]})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->title, "Plan \xC3\xA9");
  EXPECT_EQ(request->glossary, (std::vector<std::string>{"Qylon", "Zo\xC3\xAB"}));
}

TEST(MeetingRequest, TakesNothingAtAll) {
  EXPECT_TRUE(parse_meeting_request(""));
  EXPECT_TRUE(parse_meeting_request("{}"));
}

TEST(MeetingRequest, SaysWhatIsWrong) {
  EXPECT_NE(refusal("{").find("not JSON"), std::string::npos);
  EXPECT_NE(refusal("{} x").find("not JSON"), std::string::npos);
  EXPECT_NE(refusal("[]").find("must be an object"), std::string::npos);
  EXPECT_NE(refusal("\"\xC3\x28\"").find("not UTF-8"), std::string::npos);
  EXPECT_NE(refusal(R"({"title":5})").find("title must be a string"), std::string::npos);
  EXPECT_NE(refusal(R"({"title":"a\u0000b"})").find("U+0000"), std::string::npos);
  EXPECT_NE(refusal(R"({"title":"\ud800"})").find("not JSON"), std::string::npos);
  EXPECT_NE(refusal(R"({"glossary":"x"})").find("array"), std::string::npos);
  EXPECT_NE(refusal(R"({"glossary":["x",7]})").find("glossary[1] must be a string"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"glossary":[""]})").find("glossary[0] is empty"), std::string::npos);
}

TEST(MeetingRequest, CountsCharactersAndNotBytes) {
  std::string title;
  for (int i = 0; i < 200; ++i)
    title += "\xC3\xA9";
  EXPECT_TRUE(parse_meeting_request(R"({"title":")" + title + R"("})"));
  EXPECT_NE(refusal(R"({"title":")" + title + R"(x"})").find("200"), std::string::npos);
  EXPECT_NE(refusal(R"({"glossary":[")" + title + R"("]})").find("64"), std::string::npos);
}

TEST(MeetingRequest, RefusesTooLongAGlossary) {
  std::string words = "\"a\"";
  for (int i = 1; i < 200; ++i)
    words += ",\"a\"";
  EXPECT_TRUE(parse_meeting_request("{\"glossary\":[" + words + "]}"));
  EXPECT_NE(refusal("{\"glossary\":[" + words + ",\"a\"]}").find("200"), std::string::npos);
}

TEST(MeetingRequest, RefusesADepthBombBeforeItIsBuilt) {
  const std::string just = "{\"x\":" + std::string(31, '[') + std::string(31, ']') + "}";
  EXPECT_TRUE(parse_meeting_request(just));
  EXPECT_NE(refusal("{\"x\":" + std::string(32, '[') + std::string(32, ']') + "}").find("32"),
            std::string::npos);
  EXPECT_NE(refusal(std::string(1 << 20, '[')).find("32"), std::string::npos);
  // Brackets inside strings do not nest.
  EXPECT_TRUE(parse_meeting_request("{\"title\":\"" + std::string(100, '[') + "\\\"[\"}"));
}

TEST(MeetingJson, PrintsAMeetingAsTheProtocolSays) {
  MeetingInfo meeting;
  meeting.id = *MeetingId::parse("11111111-2222-4333-8444-555555555555");
  meeting.epoch = *Epoch::parse("66666666-7777-4888-9999-000000000000");
  meeting.title = "A \"b\"";
  meeting.glossary = {"Qylon"};
  meeting.created_us = 1'795'258'800'123'000;
  EXPECT_EQ(meeting_to_json(meeting),
            R"({"id":"11111111-2222-4333-8444-555555555555",)"
            R"("epoch":"66666666-7777-4888-9999-000000000000","title":"A \"b\"",)"
            R"("state":"created","glossary":["Qylon"],"created_at":"2026-11-21T11:00:00.123Z",)"
            R"("started_at":null,"ended_at":null})");
}

}  // namespace
}  // namespace qylon::api

#include "api/shares_json.hpp"

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

const std::string kMeeting = "11111111-2222-4333-8444-555555555555";

TEST(TicketRequest, NamesAMeetingAndAVerbOrALink) {
  const auto request = parse_ticket_request(R"({"meeting":")" + kMeeting + R"(","verb":"uplink"})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->meeting.to_string(), kMeeting);
  EXPECT_EQ(request->verb, MeetingVerb::kSpeak);
  EXPECT_EQ(parse_ticket_request(R"({"share":"qys_x"})")->share, "qys_x");
}

TEST(TicketRequest, SaysWhatIsMissing) {
  for (const std::string& body : {std::string("[]"),
                                  std::string("{"),
                                  std::string(""),
                                  std::string(R"({"meeting":7,"verb":"uplink"})"),
                                  R"({"meeting":")" + kMeeting + R"("})",
                                  R"({"meeting":")" + kMeeting + R"(","verb":"own"})"}) {
    const auto request = parse_ticket_request(body);
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(request.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(ShareRequest, LivesADayUnlessItSaysSomethingElse) {
  EXPECT_EQ(parse_share_request("").value(), 86'400);
  EXPECT_EQ(parse_share_request(R"({"expires_in_s":60})").value(), 60);
  EXPECT_FALSE(parse_share_request(R"({"expires_in_s":59})"));
  EXPECT_FALSE(parse_share_request(R"({"expires_in_s":7776001})"));
  EXPECT_FALSE(parse_share_request(R"({"expires_in_s":"60"})"));
  EXPECT_FALSE(parse_share_request(R"({"expires_in_s":6e1})"));
}

}  // namespace
}  // namespace qylon::api

#include "api/tickets.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace qylon::api {
namespace {

class OneTimeTickets : public testing::Test {
 protected:
  test::FakeClock clock_;
  Tickets tickets_{clock_, 3};
  const MeetingPass pass_{MeetingId::random(), MeetingVerb::kSpeak, 5'000'000};
};

TEST_F(OneTimeTickets, OpenWhatTheyAreForOnce) {
  const std::string ticket = tickets_.issue(pass_).value();
  EXPECT_EQ(ticket.substr(0, 4), "qyt_");
  EXPECT_EQ(ticket.size(), 47U);
  const auto pass = tickets_.redeem(ticket);
  ASSERT_TRUE(pass);
  EXPECT_EQ(pass->meeting, pass_.meeting);
  EXPECT_EQ(pass->verb, MeetingVerb::kSpeak);
  EXPECT_EQ(pass->session_us, 5'000'000);
  EXPECT_EQ(tickets_.redeem(ticket).error().code, ErrorCode::kUnauthenticated);
}

TEST_F(OneTimeTickets, LiveAMinute) {
  const std::string early = tickets_.issue(pass_).value();
  const std::string late = tickets_.issue(pass_).value();
  clock_.advance_ms(60'000);
  EXPECT_TRUE(tickets_.redeem(early));
  clock_.advance_ms(1);
  EXPECT_FALSE(tickets_.redeem(late));
}

TEST_F(OneTimeTickets, AreNotGuessed) {
  tickets_.issue(pass_).value();
  EXPECT_FALSE(tickets_.redeem(""));
  EXPECT_FALSE(tickets_.redeem("qyt_" + std::string(43, 'A')));
}

TEST_F(OneTimeTickets, AreRefusedWhenTooManyAreOpen) {
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(tickets_.issue(pass_));
  EXPECT_EQ(tickets_.issue(pass_).error().code, ErrorCode::kOverloaded);
  clock_.advance_ms(60'001);
  EXPECT_TRUE(tickets_.issue(pass_));
}

}  // namespace
}  // namespace qylon::api

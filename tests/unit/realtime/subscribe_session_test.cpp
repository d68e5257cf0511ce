#include "realtime/subscribe_session.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/fake_session_port.hpp"

namespace qylon::realtime {
namespace {

class Subscriber : public ::testing::Test {
 protected:
  void SetUp() override { restart(); }
  void restart(const SessionPeer& peer = SessionPeer{"", true}) {
    session_ = std::make_shared<SubscribeSession>(world_.port, world_.parts, peer, world_.executor);
  }
  void store(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t offset = first; offset <= last; ++offset)
      world_.history.add(test::final_json(offset));
  }
  std::string topic(const char* name) const {
    return "\"meeting/" + world_.history.meeting.to_string() + "/" + name + "\"";
  }
  void subscribe(const std::string& from = "") {
    session_->on_text(R"({"type":"subscribe","topics":[)" + topic("captions") + "]" + from + "}");
  }
  std::string from(std::uint64_t offset) const {
    return R"(,"from":{"epoch":")" + world_.history.epoch.to_string() + R"(","offset":)" +
           std::to_string(offset) + "}";
  }
  static std::vector<std::string> finals(std::uint64_t first, std::uint64_t last) {
    std::vector<std::string> texts;
    for (std::uint64_t offset = first; offset <= last; ++offset)
      texts.push_back(test::final_json(offset));
    return texts;
  }
  /// Takes the position message off the front of what was sent.
  std::vector<std::string> after_position() {
    auto sent = world_.port.take();
    EXPECT_FALSE(sent.empty());
    if (sent.empty()) return {};
    EXPECT_NE(sent[0].find(R"("type":"position")"), std::string::npos) << sent[0];
    sent.erase(sent.begin());
    return sent;
  }

  test::SessionWorld world_;
  std::shared_ptr<SubscribeSession> session_;
};

TEST_F(Subscriber, FinalsPublishedWhileHistoryAnswersComeOnceAndInOrder) {
  store(1, 3);
  world_.publish_final(3);
  subscribe();
  world_.publish_final(4);
  EXPECT_TRUE(world_.port.sent.empty());  // Nothing before the position.
  world_.executor->run();
  world_.publish_final(5);
  EXPECT_EQ(after_position(), finals(1, 5));
}

TEST_F(Subscriber, AFinalLostOnTheWayIsFetchedFromTheRing) {
  subscribe();
  world_.executor->run();
  world_.publish_final(1);
  world_.publish_final(2, true);
  world_.publish_final(3);
  EXPECT_EQ(after_position(), finals(1, 3));
}

TEST_F(Subscriber, TheLastFinalLostIsFetchedWhenTheThreadIsTold) {
  subscribe();
  world_.executor->run();
  world_.publish_final(1);
  world_.publish_final(2, true);
  world_.fanout.finals_lost();
  EXPECT_EQ(after_position(), finals(1, 2));
}

TEST_F(Subscriber, AGapThatTheRingForgotComesFromHistory) {
  subscribe();
  world_.executor->run();
  for (std::uint64_t offset = 1; offset <= Hub::kRingFinals + 50; ++offset) {
    world_.history.add(test::final_json(offset));
    world_.publish_final(offset, offset > 10);
  }
  world_.fanout.finals_lost();
  world_.executor->run();
  EXPECT_EQ(after_position(), finals(1, Hub::kRingFinals + 50));
}

TEST_F(Subscriber, ACongestedReaderIsPushedNothingAndPullsLater) {
  subscribe();
  world_.executor->run();
  world_.port.queued = 300 << 10;
  world_.publish_final(1);
  world_.publish_final(2);
  EXPECT_EQ(world_.port.take().size(), 1U);  // The position alone.
  world_.port.queued = 0;
  session_->on_drained();
  EXPECT_EQ(world_.port.take(), finals(1, 2));
  world_.publish_final(3);
  EXPECT_EQ(world_.port.take(), finals(3, 3));
}

TEST_F(Subscriber, RowsThatAreNotStoredYetAreAskedForAgain) {
  store(1, 2);
  for (std::uint64_t offset = 4; offset <= 5; ++offset)
    world_.publish_final(offset);  // 3 is nowhere yet.
  subscribe();
  world_.executor->run();
  EXPECT_EQ(after_position(), finals(1, 2));
  store(3, 3);
  world_.clock.advance_ms(5000);
  session_->on_tick();
  world_.executor->run();
  EXPECT_EQ(world_.port.take(), finals(3, 5));
}

TEST_F(Subscriber, AHistoryThatStaysAwayEndsInAReconnect) {
  world_.history.failing = true;
  subscribe();
  for (int i = 0; i < 60 && world_.port.closed == 0; ++i) {
    world_.executor->run();
    world_.clock.advance_ms(1000);
    session_->on_tick();
  }
  EXPECT_EQ(world_.port.closed, 4007);
  EXPECT_NE(world_.port.sent.back().find("retry_after_ms"), std::string::npos);
}

TEST_F(Subscriber, AnInterimOlderThanTheFinalsSentIsDropped) {
  subscribe();
  world_.executor->run();
  world_.publish_final(1);
  // The interim waits in the mailbox while its final goes ahead through the ring.
  const auto interim = world_.rings.add({world_.history.meeting,
                                         world_.history.epoch,
                                         Topic::kCaptions,
                                         make_text_frame("interim"),
                                         std::nullopt,
                                         2,
                                         0});
  world_.publish_final(2, true);
  world_.publish_final(3);
  world_.port.take();
  world_.fanout.deliver(*interim);
  EXPECT_TRUE(world_.port.sent.empty());
  world_.publish(Topic::kCaptions, "newer", std::nullopt, 4);
  EXPECT_EQ(world_.port.take(), std::vector<std::string>{"newer"});
}

TEST_F(Subscriber, ANewNumberingStartsAnewAndSaysSo) {
  subscribe();
  world_.executor->run();
  world_.publish_final(1);
  world_.port.take();
  world_.history.epoch = Epoch::random();
  world_.publish_final(1);
  const auto sent = world_.port.take();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_NE(sent[0].find(R"("offset":1,"recovered":false)"), std::string::npos);
  EXPECT_EQ(sent[1], test::final_json(1));
}

TEST_F(Subscriber, SubscribingAgainStartsFromWhereItSays) {
  store(1, 5);
  subscribe();
  world_.executor->run();
  EXPECT_EQ(after_position(), finals(1, 5));
  subscribe(from(3));
  world_.executor->run();
  EXPECT_EQ(after_position(), finals(4, 5));
}

TEST_F(Subscriber, AnUnsubscribedMeetingsPageIsIgnored) {
  store(1, 5);
  subscribe();
  session_->on_text(R"({"type":"unsubscribe","topics":[)" + topic("captions") + "]}");
  world_.executor->run();
  world_.publish_final(6);
  EXPECT_TRUE(world_.port.sent.empty());
}

TEST_F(Subscriber, APageAfterTheSessionIsGoneIsDropped) {
  store(1, 5);
  subscribe();
  session_.reset();
  world_.executor->run();
  world_.publish_final(6);
  EXPECT_TRUE(world_.port.sent.empty());
}

TEST_F(Subscriber, WithoutASubscribeItIsClosedAfterFiveSeconds) {
  world_.clock.advance_ms(4900);
  session_->on_tick();
  EXPECT_EQ(world_.port.closed, 0);
  world_.clock.advance_ms(200);
  session_->on_tick();
  EXPECT_EQ(world_.port.closed, 4002);
}

TEST_F(Subscriber, TakesOneHundredAndTwentyEightTopicsAndNoMore) {
  const auto subscribe_to = [this](int count) {
    std::string topics;
    for (int i = 0; i < count; ++i)
      topics +=
          (i == 0 ? "\"meeting/" : ",\"meeting/") + MeetingId::random().to_string() + "/levels\"";
    session_->on_text(R"({"type":"subscribe","topics":[)" + topics + "]}");
  };
  subscribe_to(128);
  EXPECT_EQ(world_.port.closed, 0);
  subscribe_to(1);
  EXPECT_EQ(world_.port.closed, 4503);
}

TEST_F(Subscriber, AUserHearsTheMeetingsThatTheGateOpens) {
  store(1, 1);
  world_.gate.seen_by_users = world_.history.meeting;
  restart({"user", true});
  subscribe();
  EXPECT_TRUE(world_.port.sent.empty());  // The gate is asked first.
  world_.executor->run();
  EXPECT_EQ(after_position(), finals(1, 1));
  EXPECT_EQ(world_.gate.asked, 1);
}

TEST_F(Subscriber, AUserHearsNothingOfAMeetingBehindTheGate) {
  store(1, 1);
  restart({"user", true});
  subscribe();
  world_.executor->run();
  world_.publish_final(2);
  EXPECT_EQ(world_.port.closed, 4507);
  ASSERT_EQ(world_.port.sent.size(), 1U);
  EXPECT_NE(world_.port.sent[0].find("not_found"), std::string::npos);
}

TEST_F(Subscriber, TheServersOwnTokenPassesTheGateWithoutAsking) {
  subscribe();
  world_.executor->run();
  EXPECT_EQ(world_.gate.asked, 0);
  EXPECT_EQ(world_.port.closed, 0);
}

TEST_F(Subscriber, ATicketOpensItsMeetingAndNoOther) {
  world_.gate.tickets["t"] = {world_.history.meeting, MeetingVerb::kSee, 60'000'000};
  restart({"", false, "t"});
  subscribe();
  world_.executor->run();
  EXPECT_EQ(world_.port.closed, 0);
  session_->on_text(R"({"type":"subscribe","topics":["meeting/)" + MeetingId::random().to_string() +
                    R"(/captions"]})");
  EXPECT_EQ(world_.port.closed, 4502);
}

TEST_F(Subscriber, ATicketForAudioShowsNothing) {
  world_.gate.tickets["t"] = {world_.history.meeting, MeetingVerb::kSpeak, 60'000'000};
  restart({"", true, "t"});
  subscribe();
  EXPECT_EQ(world_.port.closed, 4502);
}

TEST_F(Subscriber, AUsedTicketOpensNothingEvenOnLoopback) {
  restart({"", true, "t"});
  subscribe();
  EXPECT_EQ(world_.port.closed, 4500);
}

TEST_F(Subscriber, ASessionEndsWithItsTicketsTime) {
  world_.gate.tickets["t"] = {world_.history.meeting, MeetingVerb::kSee, 60'000'000};
  restart({"", false, "t"});
  subscribe();
  world_.executor->run();
  world_.clock.advance_ms(60'000);
  session_->on_tick();
  EXPECT_EQ(world_.port.closed, 0);
  world_.clock.advance_ms(1);
  session_->on_tick();
  EXPECT_EQ(world_.port.closed, 4000);
}

}  // namespace
}  // namespace qylon::realtime

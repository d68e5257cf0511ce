#include "realtime/uplink_session.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/fake_session_port.hpp"

namespace qylon::realtime {
namespace {

using Posted = media::TrackUplink::Posted;

class Uplink : public ::testing::Test {
 protected:
  void SetUp() override { connect(true); }
  void connect(bool is_loopback) { connect(SessionPeer{"", is_loopback}); }
  void connect(const SessionPeer& peer) {
    session_ = std::make_shared<UplinkSession>(world_.port, world_.parts, peer, world_.executor);
  }
  void hello() {
    session_->on_text(
        R"({"type":"hello","meeting":")" + world_.history.meeting.to_string() +
        R"(","clock":{"id":"11111111-2222-4333-8444-555555555555","start_ms":7},)"
        R"("tracks":[{"track":4,"codec":"opus","sample_rate_hz":48000,"channels":1}]})");
  }
  void open() {
    hello();
    world_.executor->run();
    world_.port.take();
  }
  void audio(std::uint64_t seq, std::size_t bytes = 3) {
    session_->on_binary(
        media::encode_uplink({0, 4, seq, seq * 20'000, std::vector<std::uint8_t>(bytes)}));
  }
  test::TestTrack& track() { return *world_.ingress.track(4); }

  test::SessionWorld world_;
  std::shared_ptr<UplinkSession> session_;
};

TEST_F(Uplink, IsWelcomedOnceTheMeetingHasOpenedItsTracks) {
  hello();
  EXPECT_TRUE(world_.port.sent.empty());
  EXPECT_TRUE(world_.port.paused);
  world_.executor->run();
  EXPECT_EQ(world_.port.take(),
            std::vector<std::string>{R"({"type":"welcome","meeting":")" +
                                     world_.history.meeting.to_string() +
                                     R"(","tracks":[{"track":4,"next_seq":0}]})"});
  EXPECT_FALSE(world_.port.paused);
}

TEST_F(Uplink, AnOpenAfterTheSessionIsGoneIsDropped) {
  hello();
  session_.reset();
  world_.executor->run();
  EXPECT_TRUE(world_.port.sent.empty());
}

TEST_F(Uplink, FramesReadBeforeTheWelcomeAreKept) {
  hello();
  audio(0);
  audio(1);
  world_.executor->run();
  EXPECT_EQ(track().frames(), 2U);
}

TEST_F(Uplink, MoreFramesThanFitBeforeTheWelcomeAreRefused) {
  hello();
  for (std::uint64_t seq = 0; seq <= UplinkSession::kWaitingFrames; ++seq)
    audio(seq);
  EXPECT_EQ(world_.port.closed, 4006);
}

TEST_F(Uplink, AcknowledgesOnlyWhatChanged) {
  open();
  session_->on_tick();
  EXPECT_TRUE(world_.port.sent.empty());
  audio(0);
  session_->on_tick();
  EXPECT_EQ(world_.port.take(),
            std::vector<std::string>{R"({"type":"ack","track":4,"next_seq":1,"durable":0})"});
  session_->on_tick();
  EXPECT_TRUE(world_.port.sent.empty());
  track().durable = 1;
  session_->on_tick();
  EXPECT_EQ(world_.port.take(),
            std::vector<std::string>{R"({"type":"ack","track":4,"next_seq":1,"durable":1})"});
}

TEST_F(Uplink, ABusyShardPausesAndTheFastTickGoesOnWhereItStopped) {
  open();
  track().answer = Posted::kBusy;
  audio(0);
  audio(1);
  EXPECT_TRUE(world_.port.paused);
  EXPECT_TRUE(session_->wants_fast_tick());
  session_->on_fast_tick();
  EXPECT_TRUE(world_.port.paused);
  track().answer = Posted::kAccepted;
  session_->on_fast_tick();
  EXPECT_FALSE(world_.port.paused);
  EXPECT_FALSE(session_->wants_fast_tick());
  EXPECT_EQ(track().next_seq(), 2U);
}

TEST_F(Uplink, AShardThatTakesNothingForTenSecondsSendsTheUplinkAway) {
  open();
  track().answer = Posted::kBusy;
  audio(0);
  world_.clock.advance_ms(10'000);
  session_->on_tick();
  EXPECT_EQ(world_.port.closed, 0);
  world_.clock.advance_ms(1);
  session_->on_tick();
  EXPECT_EQ(world_.port.closed, 4006);
}

TEST_F(Uplink, AShardThatIsSlowKeepsTheUplink) {
  open();
  track().answer = Posted::kBusy;
  audio(0);
  audio(1);
  for (int i = 0; i < 3; ++i) {
    world_.clock.advance_ms(8'000);
    track().answer = Posted::kAccepted;
    session_->on_fast_tick();
    track().answer = Posted::kBusy;
    audio(static_cast<std::uint64_t>(i) + 2);
    session_->on_tick();
  }
  EXPECT_EQ(world_.port.closed, 0);
}

TEST_F(Uplink, ARemoteSenderIsSlowedNotClosed) {
  connect(false);
  open();
  std::uint64_t seq = 0;
  while (!world_.port.paused && seq < 2000)
    audio(seq++, 16'000);
  EXPECT_EQ(seq, 750U);  // 12 MB of burst at 16,020 bytes a frame.
  session_->on_fast_tick();
  EXPECT_TRUE(world_.port.paused);
  world_.clock.advance_ms(20);
  session_->on_fast_tick();
  EXPECT_FALSE(world_.port.paused);
  EXPECT_EQ(world_.port.closed, 0);
}

TEST_F(Uplink, ARemoteSenderOfTinyFramesIsSlowedNotClosed) {
  connect(false);
  open();
  std::uint64_t seq = 0;
  while (!world_.port.paused && seq < 9'000)
    audio(seq++);
  EXPECT_EQ(seq,
            3'600U);  // A minute of 20 ms packets and some: what a client keeps is resent at once.
  EXPECT_EQ(track().next_seq(), seq);
  EXPECT_EQ(world_.counters.uplinks_slowed.value(), 1U);
  EXPECT_EQ(world_.counters.uplink_stalls.value(), 0U);
  world_.clock.advance_ms(20);
  session_->on_fast_tick();
  EXPECT_FALSE(world_.port.paused);
  EXPECT_EQ(world_.port.closed, 0);
}

// The shortest packets that are taken, docs/PROTOCOL.md: 400 a second.
TEST_F(Uplink, ARemoteSenderOfLivePacketsIsNeverSlowed) {
  connect(false);
  open();
  for (std::uint64_t seq = 0; seq < 60 * 400; ++seq) {
    audio(seq);
    if (seq % 2 == 1) world_.clock.advance_ms(5);
  }
  EXPECT_EQ(world_.counters.uplinks_slowed.value(), 0U);
}

TEST_F(Uplink, LoopbackIsNotSlowed) {
  open();
  for (std::uint64_t seq = 0; seq < 4'000; ++seq)
    audio(seq, 16'000);
  EXPECT_FALSE(world_.port.paused);
}

TEST_F(Uplink, WithoutAHelloItIsClosedAfterFiveSeconds) {
  world_.clock.advance_ms(5100);
  session_->on_tick();
  EXPECT_EQ(world_.port.closed, 4002);
}

TEST_F(Uplink, PingsDoNotReplaceTheHello) {
  for (int i = 0; i < 6; ++i) {
    session_->on_text(R"({"type":"ping"})");
    world_.clock.advance_ms(1000);
    session_->on_tick();
  }
  EXPECT_EQ(world_.port.closed, 4002);
}

TEST_F(Uplink, ThirtySilentSecondsCloseAndAPingKeepsItOpen) {
  open();
  world_.clock.advance_ms(29'000);
  session_->on_text(R"({"type":"ping"})");
  world_.clock.advance_ms(29'000);
  session_->on_tick();
  EXPECT_EQ(world_.port.closed, 0);
  world_.clock.advance_ms(2'000);
  session_->on_tick();
  EXPECT_EQ(world_.port.closed, 4002);
}

TEST_F(Uplink, AWallClockThatJumpsChangesNothing) {
  open();
  world_.clock.step_wall_us(7'200'000'000);
  session_->on_tick();
  world_.clock.step_wall_us(-14'400'000'000);
  session_->on_tick();
  EXPECT_EQ(world_.port.closed, 0);
}

TEST_F(Uplink, AnEndedMeetingIsRefusedForGood) {
  world_.ingress.ended = true;
  hello();
  world_.executor->run();
  EXPECT_EQ(world_.port.closed, 4506);
}

TEST_F(Uplink, AfterTheErrorNothingMoreIsSaid) {
  open();
  session_->on_binary({});
  EXPECT_EQ(world_.port.closed, 4503);
  EXPECT_EQ(world_.port.take().size(), 1U);
  session_->on_text(R"({"type":"ping"})");
  audio(0);
  session_->on_tick();
  EXPECT_TRUE(world_.port.sent.empty());
}

TEST_F(Uplink, OfAUserNeedsTheRightToSpeak) {
  world_.gate.seen_by_users = world_.history.meeting;
  connect(SessionPeer{"user", true});
  open();
  EXPECT_EQ(world_.port.closed, 4502);

  world_.port.closed = 0;
  world_.gate.users_may_speak = true;
  connect(SessionPeer{"user", true});
  hello();
  audio(0);
  world_.executor->run();
  EXPECT_EQ(world_.port.closed, 0);
  EXPECT_EQ(track().frames(), 1U);  // What came while the gate was asked is not lost.
}

TEST_F(Uplink, OpensWithATicketForAudio) {
  world_.gate.tickets["t"] = {world_.history.meeting, MeetingVerb::kSpeak, 60'000'000};
  connect(SessionPeer{"", false, "t"});
  open();
  EXPECT_EQ(world_.port.closed, 0);
}

}  // namespace
}  // namespace qylon::realtime

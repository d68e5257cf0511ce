#include "realtime/uplink_client.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "media/uplink_frame.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_connector.hpp"

namespace qylon::realtime {
namespace {

using State = UplinkClient::State;

constexpr std::int64_t kFrameUs = 20'000;

/// A client of track 3 and the server that it talks to, in one place: packets carry their number as
/// payload, so that a test can see which one arrived.
class UplinkClientTest : public ::testing::Test {
 protected:
  static UplinkClient::Options options() {
    UplinkClient::Options options;
    options.url = "ws://server/v1/uplink";
    options.meeting = *MeetingId::parse("0e7b5c3a-5a36-4a86-8a3a-3f7f2c7d9a01");
    options.track.track = 3;
    options.frames_per_s_max = 0;
    return options;
  }

  void start(UplinkClient::Options options) {
    auto created = UplinkClient::create(std::move(options), connector_, clock_);
    ASSERT_TRUE(created) << created.error().message;
    client_ = *std::move(created);
    client_->step();
  }
  void start_streaming(UplinkClient::Options chosen = options(), std::uint64_t next_seq = 0) {
    start(std::move(chosen));
    welcome(next_seq);
  }

  bool offer(std::int64_t count = 1) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::array<std::uint8_t, 2> payload = {static_cast<std::uint8_t>(offered_ >> 8),
                                                   static_cast<std::uint8_t>(offered_)};
      const auto capture_us = static_cast<std::uint64_t>(offered_ * kFrameUs + hole_us_);
      if (!client_->offer({payload, capture_us, kFrameUs})) return false;
      ++offered_;
    }
    client_->step();
    return true;
  }

  test::FakePeer& peer() { return *connector_.peers.back(); }
  void hear(const std::string& text) {
    peer().events.on_text(text);
    client_->step();
  }
  void welcome(std::uint64_t next_seq) {
    peer().events.on_open();
    hear(R"({"type":"welcome","tracks":[{"track":3,"next_seq":)" + std::to_string(next_seq) +
         "}]}");
  }
  void ack(std::uint64_t next_seq, const std::string& durable) {
    hear(R"({"type":"ack","track":3,"next_seq":)" + std::to_string(next_seq) + R"(,"durable":)" +
         durable + "}");
  }
  void close(int code, const std::string& reason = "") {
    peer().events.on_close(code, reason);
    client_->step();
  }
  /// Past every wait that the back-off can choose.
  void reconnect() {
    clock_.advance_ms(15'001);
    client_->step();
  }

  std::vector<media::UplinkFrame> received() {
    std::vector<media::UplinkFrame> frames;
    for (const auto& bytes : peer().binaries)
      frames.push_back(*media::parse_uplink(bytes));
    return frames;
  }
  std::vector<std::uint64_t> received_seqs() {
    std::vector<std::uint64_t> seqs;
    for (const media::UplinkFrame& frame : received())
      seqs.push_back(frame.seq);
    return seqs;
  }

  test::FakeClock clock_;
  test::FakeConnector connector_;
  std::unique_ptr<UplinkClient> client_;
  std::int64_t offered_ = 0;
  std::int64_t hole_us_ = 0;
};

TEST_F(UplinkClientTest, OffersTheSubprotocolAndTheTokenInAHeader) {
  auto chosen = options();
  chosen.token = "secret";
  start(chosen);
  EXPECT_EQ(peer().options.subprotocol, "qylon.v1");
  EXPECT_EQ(peer().options.headers.at("Authorization"), "Bearer secret");
  EXPECT_EQ(peer().options.url, "ws://server/v1/uplink");
}

TEST_F(UplinkClientTest, SaysHelloFirstAndNothingElseBeforeTheWelcome) {
  start(options());
  peer().events.on_open();
  offer(2);
  ASSERT_EQ(peer().texts.size(), 1U);
  EXPECT_NE(peer().texts[0].find(R"("type":"hello")"), std::string::npos);
  EXPECT_TRUE(peer().binaries.empty());
  EXPECT_EQ(client_->state(), State::kConnecting);
}

TEST_F(UplinkClientTest, NumbersFramesFromTheServersNextSeq) {
  start_streaming(options(), 40);
  offer(3);
  EXPECT_EQ(received_seqs(), (std::vector<std::uint64_t>{40, 41, 42}));
  EXPECT_EQ(received()[2].capture_us, 40'000U);
  EXPECT_EQ(received()[2].track, 3);
}

TEST_F(UplinkClientTest, SendsAgainFromTheServersNextSeqAfterALoss) {
  start_streaming();
  offer(5);
  ack(2, "2");
  close(1006, "reset");
  EXPECT_EQ(client_->state(), State::kWaiting);
  offer(1);
  reconnect();
  welcome(3);
  // 0 and 1 are durable, 2 came through before the loss.
  EXPECT_EQ(received_seqs(), (std::vector<std::uint64_t>{3, 4, 5}));
  EXPECT_EQ(received()[2].payload[1], 5);
}

TEST_F(UplinkClientTest, SendsAgainWhatWasAcknowledgedButNotDurableWhenTheServerLostIt) {
  start_streaming();
  offer(5);
  ack(5, "2");
  close(1006);
  reconnect();
  welcome(2);
  EXPECT_EQ(received_seqs(), (std::vector<std::uint64_t>{2, 3, 4}));
}

TEST_F(UplinkClientTest, KeepsItsClockAcrossAReconnect) {
  start_streaming();
  const auto first_hello = peer().texts.at(0);
  offer(1);
  close(4000);
  reconnect();
  peer().events.on_open();
  client_->step();
  EXPECT_EQ(peer().texts.at(0), first_hello);
}

TEST_F(UplinkClientTest, IsDoneWhenTheEndIsDurable) {
  start_streaming();
  offer(2);
  client_->finish();
  client_->step();
  ASSERT_EQ(received().size(), 3U);
  EXPECT_TRUE(received()[2].ends_track());
  EXPECT_EQ(received()[2].capture_us, 40'000U);
  ack(3, "2");
  EXPECT_EQ(client_->state(), State::kStreaming);
  ack(3, "3");
  EXPECT_EQ(client_->state(), State::kClosing);
  EXPECT_TRUE(peer().asked_to_close);
  close(1000);
  EXPECT_EQ(client_->state(), State::kDone);
}

TEST_F(UplinkClientTest, IsDoneWithoutDurabilityWhenTheServerHasNoDisk) {
  start_streaming();
  offer(1);
  client_->finish();
  client_->step();
  ack(2, "null");
  EXPECT_EQ(client_->state(), State::kClosing);
  EXPECT_TRUE(client_->progress().disk_away);
}

TEST_F(UplinkClientTest, DoesNotWaitForEverForTheGoodbye) {
  start_streaming();
  client_->finish();
  client_->step();
  ack(1, "1");
  clock_.advance_ms(2000);
  client_->step();
  EXPECT_EQ(client_->state(), State::kDone);
}

TEST_F(UplinkClientTest, ReconnectsToProveDurabilityWhenTheServerDiesAfterTheEnd) {
  start_streaming();
  offer(2);
  client_->finish();
  client_->step();
  ack(3, "1");
  close(1006);
  EXPECT_EQ(client_->state(), State::kWaiting);
  reconnect();
  welcome(1);
  EXPECT_EQ(received_seqs(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(UplinkClientTest, DropsTheOldestAndCountsItWhenLiveSoundFillsTheBuffer) {
  auto chosen = options();
  chosen.kept_ms_max = 60'000;
  start_streaming(chosen);
  peer().binaries_max = 0;
  EXPECT_TRUE(offer(3005));  // 3000 of 20 ms fit into 60 s.
  EXPECT_EQ(client_->progress().dropped_ms, 100);
  EXPECT_EQ(client_->progress().lag_ms(), 60'000);
  peer().binaries_max = 1;
  client_->step();
  EXPECT_EQ(received_seqs(), (std::vector<std::uint64_t>{5}));
}

TEST_F(UplinkClientTest, WaitsInsteadOfDroppingWhenAskedTo) {
  auto chosen = options();
  chosen.kept_ms_max = 60'000;
  chosen.when_full = UplinkClient::WhenFull::kWait;
  start_streaming(chosen);
  EXPECT_FALSE(offer(3001));
  EXPECT_EQ(offered_, 3000);
  client_->step();
  ack(10, "10");
  EXPECT_TRUE(offer(10));
  EXPECT_EQ(client_->progress().dropped_ms, 0);
}

TEST_F(UplinkClientTest, LetsAcknowledgedAudioGoWhenTheServersDiskIsAway) {
  auto chosen = options();
  chosen.kept_ms_max = 60'000;
  chosen.when_full = UplinkClient::WhenFull::kWait;
  start_streaming(chosen);
  EXPECT_TRUE(offer(3000));
  ack(100, "null");
  EXPECT_TRUE(offer(100));
  EXPECT_FALSE(offer(1));
  EXPECT_EQ(client_->progress().dropped_ms, 0);
}

TEST_F(UplinkClientTest, TakesANewClockForWhatFollowsALongOutage) {
  auto chosen = options();
  chosen.kept_ms_max = 60'000;
  start_streaming(chosen);
  const auto first_hello = peer().texts.at(0);
  offer(10);
  ack(10, "10");
  close(1006);
  offer(3000 + 500);  // 10 s more than the buffer holds.
  reconnect();
  welcome(10);
  EXPECT_TRUE(peer().binaries.empty());
  EXPECT_EQ(client_->state(), State::kWaiting);
  client_->step();
  ASSERT_EQ(connector_.peers.size(), 3U);
  welcome(10);
  EXPECT_NE(peer().texts.at(0), first_hello);
  ASSERT_EQ(peer().binaries.size(), 3000U);
  EXPECT_EQ(received()[0].seq, 10U);
  EXPECT_EQ(received()[0].capture_us, 510U * kFrameUs);
}

TEST_F(UplinkClientTest, KeepsTheClockAcrossAShortOutage) {
  auto chosen = options();
  chosen.kept_ms_max = 60'000;
  start_streaming(chosen);
  offer(10);
  ack(10, "10");
  close(1006);
  offer(3000 + 400);  // 8 s are lost: below the 10 s that the server takes as a gap.
  reconnect();
  welcome(10);
  EXPECT_EQ(received()[0].seq, 410U);
  EXPECT_EQ(received()[0].capture_us, 410U * kFrameUs);
}

TEST_F(UplinkClientTest, TakesANewClockAfterALongHoleInTheSound) {
  start_streaming();
  offer(2);
  hole_us_ = 30'000'000;
  offer(1);
  EXPECT_EQ(received().size(), 2U);  // Waits until the old clock's frames have arrived.
  ack(2, "2");
  client_->step();
  welcome(0);
  EXPECT_EQ(received()[0].capture_us, 30'040'000U);
}

// A new clock would put what follows at the meeting's present instead of where it was said.
TEST_F(UplinkClientTest, KeepsItsClockWithAServerThatWasStartedAgain) {
  start_streaming();
  const auto first_hello = peer().texts.at(0);
  offer(1000);
  ack(1000, "1000");
  offer(1);
  close(1006);
  reconnect();
  welcome(0);
  EXPECT_EQ(peer().texts.at(0), first_hello);
  EXPECT_EQ(received_seqs(), (std::vector<std::uint64_t>{1000}));
  EXPECT_EQ(received()[0].capture_us, 1000U * kFrameUs);
}

TEST_F(UplinkClientTest, StopsForGoodOnAFinalCloseCodeWithTheServersWords) {
  start_streaming();
  offer(1);
  hear(R"({"type":"error","code":"conflict","close":4501,)"
       R"("message":"another uplink has taken over"})");
  close(4501);
  EXPECT_EQ(client_->state(), State::kFailed);
  EXPECT_EQ(client_->failure().code, ErrorCode::kConflict);
  EXPECT_EQ(client_->failure().message, "another uplink has taken over");
  reconnect();
  EXPECT_EQ(connector_.peers.size(), 1U);
}

TEST_F(UplinkClientTest, BelievesTheErrorFrameWhenTheCloseFrameIsLost) {
  start_streaming();
  hear(R"({"type":"error","code":"unauthenticated","close":4500,"message":"no token"})");
  close(1006);
  EXPECT_EQ(client_->state(), State::kFailed);
  EXPECT_EQ(client_->failure().code, ErrorCode::kUnauthenticated);
}

TEST_F(UplinkClientTest, WaitsAsLongAsTheServerAsks) {
  start_streaming();
  hear(R"({"type":"error","code":"overloaded","close":4006,)"
       R"("message":"busy","retry_after_ms":20000})");
  close(4006);
  clock_.advance_ms(19'999);
  client_->step();
  EXPECT_EQ(connector_.peers.size(), 1U);
  clock_.advance_ms(1);
  client_->step();
  EXPECT_EQ(connector_.peers.size(), 2U);
}

TEST_F(UplinkClientTest, GivesUpWhenNoServerIsThereAtTheStart) {
  start(options());
  for (int i = 0; i < 4 && client_->state() != State::kFailed; ++i) {
    if (client_->state() == State::kConnecting) close(1006, "connection refused");
    reconnect();
  }
  EXPECT_EQ(client_->state(), State::kFailed);
  EXPECT_EQ(client_->failure().code, ErrorCode::kUnavailable);
  EXPECT_NE(client_->failure().message.find("connection refused"), std::string::npos);
}

TEST_F(UplinkClientTest, NeverGivesUpOnceItWasWelcome) {
  start_streaming();
  for (int i = 0; i < 100; ++i) {
    close(1006);
    reconnect();
  }
  EXPECT_EQ(client_->state(), State::kConnecting);
  EXPECT_EQ(connector_.peers.size(), 101U);
}

TEST_F(UplinkClientTest, PingsASilentServerAndThenLeavesIt) {
  start_streaming();
  clock_.advance_ms(5000);
  client_->step();
  EXPECT_EQ(peer().texts.back(), R"({"type":"ping"})");
  clock_.advance_ms(15'000);
  client_->step();
  EXPECT_EQ(client_->state(), State::kWaiting);
  EXPECT_TRUE(connector_.peers[0]->destroyed);
}

TEST_F(UplinkClientTest, StaysWhileTheServerAnswersItsPings) {
  start_streaming();
  for (int i = 0; i < 20; ++i) {
    clock_.advance_ms(5000);
    client_->step();
    hear(R"({"type":"pong"})");
  }
  EXPECT_EQ(client_->state(), State::kStreaming);
}

TEST_F(UplinkClientTest, CatchesUpAtNoMoreThanTheGivenRate) {
  auto chosen = options();
  chosen.frames_per_s_max = 200;
  start(chosen);
  offer(1000);
  welcome(0);
  const std::size_t burst = peer().binaries.size();
  EXPECT_LE(burst, 101U);  // Half a second of 200 a second.
  clock_.advance_ms(1000);
  client_->step();
  EXPECT_NEAR(static_cast<double>(peer().binaries.size() - burst), 200.0 / 2, 2.0);
}

TEST_F(UplinkClientTest, SendsOnWhenTheChannelHasRoomAgain) {
  start_streaming();
  peer().binaries_max = 2;
  offer(4);
  EXPECT_EQ(received().size(), 2U);
  peer().binaries_max = 10;
  client_->step();
  EXPECT_EQ(received_seqs(), (std::vector<std::uint64_t>{0, 1, 2, 3}));
}

TEST_F(UplinkClientTest, IgnoresAnAckOfWhatItNeverSent) {
  start_streaming();
  peer().binaries_max = 1;
  offer(3);
  ack(9'000'000, "9000000");
  EXPECT_EQ(client_->progress().acknowledged_ms, 20);
  EXPECT_EQ(client_->progress().durable_ms, 20);
}

TEST_F(UplinkClientTest, LeavesAServerThatDoesNotSpeakTheProtocol) {
  start_streaming();
  hear("[1,2");
  EXPECT_EQ(client_->state(), State::kWaiting);
  EXPECT_FALSE(client_->trouble().empty());
}

TEST_F(UplinkClientTest, StopsAtOnceOnAUrlThatIsNotOne) {
  auto chosen = options();
  chosen.url = "gopher://server";
  start(chosen);
  EXPECT_EQ(client_->state(), State::kFailed);
  EXPECT_EQ(client_->failure().code, ErrorCode::kInvalidArgument);
}

TEST_F(UplinkClientTest, EndsWellWhenTheMeetingEndsAfterItsLastWord) {
  start_streaming();
  offer(1);
  client_->finish();
  client_->step();
  ack(1, "1");
  hear(R"({"type":"error","code":"conflict","close":4506,"message":"the meeting has ended"})");
  close(4506);
  EXPECT_EQ(client_->state(), State::kDone);
}

}  // namespace
}  // namespace qylon::realtime

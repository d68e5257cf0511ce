#include "server/uplink_session.hpp"

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "media/uplink_frame.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_connector.hpp"

namespace qylon::server {
namespace {

using Pulled = media::Capture::Pulled;

/// So many blocks of silence, then the end, or an error.
class FakeCapture final : public media::Capture {
 public:
  FakeCapture(std::int64_t blocks, bool fails) : blocks_(blocks), fails_(fails) {}

  Result<Pulled> pull(media::CaptureBlock& block) override {
    if (given_ == blocks_ && fails_) return Error{ErrorCode::kUnavailable, "unplugged"};
    if (given_ == blocks_) return Pulled::kEnd;
    block = {};
    block.capture_us = static_cast<std::uint64_t>(given_ * media::kCaptureBlockUs);
    ++given_;
    return Pulled::kBlock;
  }
  std::int64_t due_us() const override { return 0; }
  std::optional<std::int64_t> duration_ms() const override { return std::nullopt; }
  std::string description() const override { return "fake"; }
  std::int64_t given() const { return given_; }

 private:
  const std::int64_t blocks_;
  const bool fails_;
  std::int64_t given_ = 0;
};

/// A server that welcomes at once and acknowledges every frame as durable, or never says a word
/// after the welcome.
class EagerServer final : public MessageConnector {
 public:
  explicit EagerServer(bool acknowledges) : acknowledges_(acknowledges) {}

  Result<std::unique_ptr<MessageChannel>> connect(MessageChannel::Options /*options*/,
                                                  MessageChannel::Events events) override {
    events.on_open();
    return std::unique_ptr<MessageChannel>(std::make_unique<Channel>(*this, std::move(events)));
  }

  std::uint64_t frames = 0;
  bool ended = false;

 private:
  class Channel final : public MessageChannel {
   public:
    Channel(EagerServer& server, Events events) : server_(server), events_(std::move(events)) {}
    bool send_text(std::string_view /*text*/) override {
      events_.on_text(R"({"type":"welcome","tracks":[{"track":0,"next_seq":0}]})");
      return true;
    }
    bool send_binary(std::span<const std::uint8_t> bytes) override {
      server_.frames = media::parse_uplink(bytes)->seq + 1;
      server_.ended = media::parse_uplink(bytes)->ends_track();
      const std::string next = std::to_string(server_.frames);
      if (server_.acknowledges_) {
        events_.on_text(R"({"type":"ack","track":0,"next_seq":)" + next + R"(,"durable":)" + next +
                        "}");
      }
      return true;
    }
    void close() override { events_.on_close(1000, ""); }

   private:
    EagerServer& server_;
    const Events events_;
  };

  const bool acknowledges_;
};

struct Outcome {
  UplinkSession::End end;
  realtime::UplinkClient::Progress progress;
  std::string source_error;
};

Outcome stream(media::Capture& capture, MessageConnector& server, int interrupts_before = 0) {
  const test::FakeClock clock;
  auto encoder = *media::OpusPacketEncoder::create({});
  realtime::UplinkClient::Options options;
  options.url = "ws://server/v1/uplink";
  options.when_full = realtime::UplinkClient::WhenFull::kWait;
  options.frames_per_s_max = 0;
  const auto client = *realtime::UplinkClient::create(options, server, clock);
  Interrupts interrupts;
  for (int i = 0; i < interrupts_before; ++i) {
    EXPECT_EQ(raise(SIGINT), 0);
    interrupts.count();
  }
  UplinkSession session({capture, encoder, *client, interrupts, clock}, {});
  const UplinkSession::End end = session.run();
  return {end, client->progress(), session.source_error().message};
}

TEST(UplinkSession, SendsEverythingAndEndsTheTrack) {
  FakeCapture capture(300, false);
  EagerServer server(true);
  const Outcome outcome = stream(capture, server);
  EXPECT_EQ(outcome.end, UplinkSession::End::kDone);
  EXPECT_EQ(server.frames, 301U);  // The last one ends the track.
  EXPECT_TRUE(server.ended);
  EXPECT_EQ(outcome.progress.acknowledged_ms, 6'000);
}

TEST(UplinkSession, ASourceThatBreaksStillEndsTheTrack) {
  FakeCapture capture(10, true);
  EagerServer server(true);
  const Outcome outcome = stream(capture, server);
  EXPECT_EQ(outcome.end, UplinkSession::End::kSourceLost);
  EXPECT_EQ(outcome.source_error, "unplugged");
  EXPECT_TRUE(server.ended);
  EXPECT_EQ(outcome.progress.acknowledged_ms, 200);
}

TEST(UplinkSession, AnInterruptEndsTheTrackAndWaitsForTheAcknowledgement) {
  FakeCapture capture(1'000'000, false);
  EagerServer server(true);
  const Outcome outcome = stream(capture, server, 1);
  EXPECT_EQ(outcome.end, UplinkSession::End::kDone);
  EXPECT_TRUE(server.ended);
}

TEST(UplinkSession, ASecondInterruptDoesNotWait) {
  FakeCapture capture(1'000'000, false);
  EagerServer server(false);
  EXPECT_EQ(stream(capture, server, 2).end, UplinkSession::End::kInterrupted);
}

}  // namespace
}  // namespace qylon::server

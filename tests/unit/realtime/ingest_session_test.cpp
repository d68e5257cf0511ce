#include "realtime/ingest_session.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/fake_session_port.hpp"

namespace qylon::realtime {
namespace {

using Posted = media::TrackUplink::Posted;

class FakeIngestPort final : public IngestPort {
 public:
  void pause_receiving(bool value) override { paused = value; }
  void proceed() override { proceeded = true; }
  void answer(HttpResponse response) override { answered = std::move(response); }

  bool paused = false;
  bool proceeded = false;
  std::optional<HttpResponse> answered;
};

/// Makes a meeting, or says why not.
class MeetingMaker final : public HttpHandler {
 public:
  void handle(HttpRequest request, HttpReply reply) override {
    asked = std::move(request);
    HttpResponse response;
    response.status = status;
    response.headers.emplace_back("Location", "/api/meetings/" + meeting.to_string());
    if (status != 201) response.headers.clear();
    reply(std::move(response));
  }
  HttpRequest asked;
  MeetingId meeting;
  int status = 201;
};

class Ingest : public ::testing::Test {
 protected:
  void SetUp() override {
    asked_.request.meeting = world_.ingress.meeting;
    asked_.request.track.format = {media::Codec::kWebm, 48000, 1};
    asked_.peer_is_loopback = true;
    maker_.meeting = world_.ingress.meeting;
  }
  void start() {
    session_ =
        std::make_shared<IngestSession>(port_, world_.parts, maker_, asked_, world_.executor);
    session_->start();
    world_.executor->run();
  }
  void pass_ms(std::int64_t milliseconds) {
    world_.clock.advance_us(milliseconds * 1000);
    session_->on_tick();
  }
  test::TestTrack& track() { return *world_.ingress.track(0); }

  test::SessionWorld world_;
  FakeIngestPort port_;
  MeetingMaker maker_;
  IngestSession::Asked asked_;
  std::shared_ptr<IngestSession> session_;
};

TEST_F(Ingest, TheBodyIsWelcomeOnceTheTrackIsOpen) {
  session_ = std::make_shared<IngestSession>(port_, world_.parts, maker_, asked_, world_.executor);
  session_->start();
  EXPECT_TRUE(port_.paused);
  EXPECT_FALSE(port_.proceeded);
  session_->on_bytes("came with the header");
  world_.executor->run();
  EXPECT_TRUE(port_.proceeded);
  EXPECT_FALSE(port_.paused);
  EXPECT_EQ(track().frames(), 1U);
}

TEST_F(Ingest, ABodyThatEndsBeforeTheTrackIsOpenIsTaken) {
  session_ = std::make_shared<IngestSession>(port_, world_.parts, maker_, asked_, world_.executor);
  session_->start();
  session_->on_bytes("all");
  session_->on_end(true);
  world_.executor->run();
  EXPECT_EQ(track().frames(), 2U);
  track().durable = 2;
  pass_ms(50);
  ASSERT_TRUE(port_.answered);
  EXPECT_EQ(port_.answered->status, 200);
}

TEST_F(Ingest, TheAnswerComesWhenAllOfItIsOnDisk) {
  start();
  session_->on_bytes("piece");
  track().heard = 1500;
  session_->on_end(true);
  pass_ms(50);
  EXPECT_FALSE(port_.answered);
  track().durable = 2;
  pass_ms(50);
  ASSERT_TRUE(port_.answered);
  EXPECT_EQ(port_.answered->body,
            R"({"meeting":")" + world_.ingress.meeting.to_string() +
                R"(","track":0,"seconds":1.5,"packets":1,"bytes":5,"durable":true})");
}

TEST_F(Ingest, ABodyWithoutAnyAudioIsNoUpload) {
  start();
  track().heard = 0;
  session_->on_bytes("garbage");
  session_->on_end(true);
  track().durable = 2;
  pass_ms(50);
  ASSERT_TRUE(port_.answered);
  EXPECT_EQ(port_.answered->status, 415);
}

TEST_F(Ingest, ADiskThatDoesNotFollowIsSaidInTheAnswer) {
  start();
  session_->on_bytes("piece");
  session_->on_end(true);
  pass_ms(30'001);
  ASSERT_TRUE(port_.answered);
  EXPECT_EQ(port_.answered->status, 200);
  EXPECT_NE(port_.answered->body.find(R"("durable":false)"), std::string::npos);
}

TEST_F(Ingest, ABusyShardStopsTheReadingAndLosesNothing) {
  start();
  track().answer = Posted::kBusy;
  session_->on_bytes("one");
  EXPECT_TRUE(port_.paused);
  track().answer = Posted::kAccepted;
  pass_ms(50);
  EXPECT_FALSE(port_.paused);
  EXPECT_EQ(track().frames(), 1U);
}

// What was heard may be 20 s ahead, and then grows with twice the time.
TEST_F(Ingest, AFileIsTakenNoFasterThanRecognisersFollow) {
  start();
  track().heard = IngestSession::kHeadStartMs;
  session_->on_bytes("one");
  EXPECT_TRUE(port_.paused);
  pass_ms(50);
  EXPECT_FALSE(port_.paused);
  track().heard = IngestSession::kHeadStartMs + 5'000;
  pass_ms(2'000);
  EXPECT_TRUE(port_.paused);
  pass_ms(600);
  EXPECT_FALSE(port_.paused);
}

TEST_F(Ingest, ThirtySecondsWithoutAByteEndIt) {
  start();
  session_->on_bytes("one");
  pass_ms(29'000);
  EXPECT_FALSE(port_.answered);
  pass_ms(1'001);
  ASSERT_TRUE(port_.answered);
  EXPECT_EQ(port_.answered->status, 408);
}

TEST_F(Ingest, ANewerConnectionTakesTheTrackOver) {
  start();
  track().answer = Posted::kSuperseded;
  pass_ms(50);
  ASSERT_TRUE(port_.answered);
  EXPECT_EQ(port_.answered->status, 409);
  EXPECT_NE(port_.answered->body.find("a newer connection"), std::string::npos);
}

TEST_F(Ingest, ABodyThatBreaksOffIsKeptAndSaid) {
  start();
  session_->on_bytes("one");
  session_->on_end(false);
  track().durable = 2;
  pass_ms(50);
  EXPECT_EQ(track().frames(), 2U);
  ASSERT_TRUE(port_.answered);
  EXPECT_EQ(port_.answered->status, 400);
}

TEST_F(Ingest, AnEndedMeetingIsAConflict) {
  world_.ingress.ended = true;
  start();
  ASSERT_TRUE(port_.answered);
  EXPECT_EQ(port_.answered->status, 409);
  EXPECT_FALSE(port_.proceeded);
}

TEST_F(Ingest, ANewMeetingIsMadeByTheRouteThatMakesMeetings) {
  asked_.request.meeting.reset();
  asked_.request.title = "Talk";
  asked_.token = "secret";
  start();
  EXPECT_EQ(maker_.asked.path, "/api/meetings");
  EXPECT_EQ(maker_.asked.authorization, "Bearer secret");
  EXPECT_EQ(maker_.asked.body, R"({"title":"Talk"})");
  EXPECT_TRUE(port_.proceeded);
}

TEST_F(Ingest, WhyNoMeetingCouldBeMadeIsPassedOn) {
  asked_.request.meeting.reset();
  maker_.status = 503;
  start();
  ASSERT_TRUE(port_.answered);
  EXPECT_EQ(port_.answered->status, 503);
}

TEST_F(Ingest, WithoutATokenNothingIsAskedForButThePassword) {
  world_.access.token_required = true;
  asked_.request.meeting.reset();
  start();
  ASSERT_TRUE(port_.answered);
  EXPECT_EQ(port_.answered->status, 401);
  EXPECT_EQ(maker_.asked.path, "");
}

}  // namespace
}  // namespace qylon::realtime

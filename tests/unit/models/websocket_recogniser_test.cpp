#include "models/websocket_recogniser.hpp"

#include <cstring>

#include <gtest/gtest.h>

#include "tests/support/asr_answers.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_connector.hpp"

namespace qylon::models {
namespace {

using test::FakePeer;
using test::text_of;
using Kind = RecogniserResult::Kind;

class WebSocketRecogniserTest : public ::testing::Test {
 protected:
  void start(const std::string& engine) {
    options_.engine = engine;
    options_.url = "ws://127.0.0.1:2700";
    auto made = WebSocketRecogniser::create(options_, {connector_, counters_, clock_});
    ASSERT_TRUE(made) << made.error().message;
    recogniser_ = std::move(*made);
    session_ = recogniser_->open({{"Ann"}}, answers_);
  }
  /// Begins segment 1 at 1 s, pushes `ms` of sound and returns the far side.
  FakePeer& begin(int ms) {
    session_->begin_segment(1, 16'000, "");
    session_->push(std::vector<float>(static_cast<std::size_t>(ms) * 16, 0.5F));
    return *connector_.peers.back();
  }

  test::FakeClock clock_;
  Counters counters_;
  test::FakeConnector connector_;
  WebSocketRecogniser::Options options_;
  std::shared_ptr<test::Answers> answers_ = std::make_shared<test::Answers>();
  std::unique_ptr<WebSocketRecogniser> recogniser_;
  std::unique_ptr<RecogniserSession> session_;
};

TEST_F(WebSocketRecogniserTest, SpeaksWithAVoskServer) {
  start("vosk-ws");
  FakePeer& server = begin(500);
  EXPECT_TRUE(server.binaries.empty());
  server.events.on_open();
  EXPECT_EQ(server.texts.at(0),
            R"({"config":{"phrase_list":["Ann"],"sample_rate":16000,"words":true}})");
  ASSERT_EQ(server.binaries.size(), 2U);  // 200 ms each; 100 ms wait for more.
  EXPECT_EQ(server.binaries[0].size(), 6400U);
  server.events.on_text(R"({"partial" : "hello"})");
  EXPECT_EQ(text_of(answers_->partial(1)), "hello");
  server.events.on_text(R"({"partial" : "hello"})");
  session_->end_segment(16'000 + 8000);
  ASSERT_EQ(server.binaries.size(), 3U);
  EXPECT_EQ(server.texts.back(), R"({"eof" : 1})");
  server.events.on_text(R"({"partial" : "hello an"})");
  server.events.on_text(
      R"({"result":[{"conf":1.0,"end":0.4,"start":0.1,"word":"hello"}],"text":"hello"})");
  const RecogniserResult result = answers_->answer(1);
  ASSERT_EQ(result.kind, Kind::kFinal) << result.reason;
  EXPECT_EQ(text_of(result), "hello");
  EXPECT_EQ(result.words[0].start_ms, 1100);
  EXPECT_EQ(result.engine, "vosk-ws");
  EXPECT_EQ(recogniser_->lag_ms(), 0);
}

TEST_F(WebSocketRecogniserTest, AVoskFinalInTheMiddleIsNotTheAnswer) {
  start("vosk-ws");
  FakePeer& server = begin(400);
  server.events.on_open();
  session_->end_segment(16'000 + 6400);
  EXPECT_EQ(recogniser_->lag_ms(), 400);
  server.events.on_text(R"({"text":"one"})");  // To the first piece: the server saw a pause.
  server.events.on_text(R"({"partial":""})");
  server.events.on_text(R"({"text":"two"})");
  EXPECT_EQ(text_of(answers_->answer(1)), "one two");
}

TEST_F(WebSocketRecogniserTest, SpeaksWithASherpaServer) {
  start("sherpa-ws");
  FakePeer& server = begin(200);
  server.events.on_open();
  EXPECT_TRUE(server.texts.empty());
  ASSERT_EQ(server.binaries.size(), 1U);
  ASSERT_EQ(server.binaries[0].size(), 12'800U);
  float first = 0;
  std::memcpy(&first, server.binaries[0].data(), sizeof first);
  EXPECT_NEAR(first, 0.5F, 1e-4);
  server.events.on_text(R"({"text":"HEL","segment":0,"is_final":false})");
  EXPECT_EQ(text_of(answers_->partial(1)), "HEL");
  session_->end_segment(16'000 + 3200);
  EXPECT_EQ(server.texts.back(), "Done");
  server.events.on_text(R"({"text":"HELLO","segment":0,"is_final":true})");
  server.events.on_text(R"({"text":"ANN","segment":1,"is_final":true})");
  server.events.on_text("Done!");
  EXPECT_EQ(text_of(answers_->answer(1)), "HELLO ANN");
}

TEST_F(WebSocketRecogniserTest, WordsAfterAnEarlierEndAreLeftOut) {
  start("vosk-ws");
  FakePeer& server = begin(400);
  server.events.on_open();
  session_->end_segment(16'000 + 3200);
  server.events.on_text(R"({"partial":""})");
  server.events.on_text(R"({"partial":""})");
  server.events.on_text(R"({"result":[{"word":"in","start":0.1,"end":0.19},)"
                        R"({"word":"out","start":0.25,"end":0.35}],"text":"in out"})");
  const RecogniserResult result = answers_->answer(1);
  EXPECT_EQ(text_of(result), "in");
}

TEST_F(WebSocketRecogniserTest, ALostConnectionIsToldWhenTheSegmentEnds) {
  start("vosk-ws");
  FakePeer& server = begin(200);
  server.events.on_close(1006, "connection refused");
  EXPECT_TRUE(answers_->all().empty());
  session_->end_segment(16'000 + 3200);
  const RecogniserResult result = answers_->answer(1);
  EXPECT_EQ(result.kind, Kind::kFailed);
  EXPECT_NE(result.reason.find("1006 connection refused"), std::string::npos) << result.reason;
  EXPECT_EQ(answers_->all().size(), 1U);
}

TEST_F(WebSocketRecogniserTest, NonsenseFailsTheSegment) {
  start("sherpa-ws");
  FakePeer& server = begin(200);
  server.events.on_open();
  server.events.on_text("<html>");
  session_->end_segment(16'000 + 3200);
  EXPECT_NE(answers_->answer(1).reason.find("protocol"), std::string::npos);
}

TEST_F(WebSocketRecogniserTest, AServerThatDoesNotAnswerIsGivenUp) {
  start("vosk-ws");
  FakePeer& server = begin(200);
  server.events.on_open();
  session_->end_segment(16'000 + 3200);
  clock_.advance_ms(15'001);
  const RecogniserResult result = answers_->answer(1);
  EXPECT_NE(result.reason.find("15000 ms"), std::string::npos) << result.reason;
}

TEST_F(WebSocketRecogniserTest, AServerThatTakesAudioTooSlowlyFailsTheSegment) {
  start("vosk-ws");
  FakePeer& server = begin(100);
  server.binaries_max = 1;
  server.events.on_open();
  session_->push(std::vector<float>(16'000, 0.1F));
  session_->end_segment(16'000 + 17'600);
  EXPECT_NE(answers_->answer(1).reason.find("slower"), std::string::npos);
}

TEST_F(WebSocketRecogniserTest, AnEmptySegmentNeedsNoServer) {
  start("vosk-ws");
  begin(200);
  session_->end_segment(16'000);
  EXPECT_EQ(answers_->answer(1).kind, Kind::kFinal);
}

TEST_F(WebSocketRecogniserTest, TooManySegmentsFailAtOnce) {
  options_.segments_max = 1;
  start("vosk-ws");
  begin(200);
  const auto second = recogniser_->open({}, answers_);
  second->begin_segment(2, 0, "");
  second->push(std::vector<float>(3200, 0.5F));
  second->end_segment(3200);
  EXPECT_NE(answers_->answer(2).reason.find("too many"), std::string::npos);
}

TEST_F(WebSocketRecogniserTest, AClosedSessionHearsNothingMore) {
  start("vosk-ws");
  FakePeer& server = begin(200);
  server.events.on_open();
  session_.reset();
  server.events.on_text(R"({"partial":"late"})");
  server.events.on_close(1000, "");
  EXPECT_TRUE(answers_->all().empty());
}

TEST(WebSocketRecogniser, RefusesAnAddressThatIsNoWebSocket) {
  const test::FakeClock clock;
  Counters counters;
  test::FakeConnector connector;
  WebSocketRecogniser::Options options;
  options.engine = "vosk-ws";
  options.url = "http://127.0.0.1:2700";
  const auto made = WebSocketRecogniser::create(options, {connector, counters, clock});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("ws://"), std::string::npos);
}

}  // namespace
}  // namespace qylon::models

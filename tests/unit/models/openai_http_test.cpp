#include "models/openai_http.hpp"

#include <gtest/gtest.h>

#include "tests/support/asr_answers.hpp"
#include "tests/support/asr_http_server.hpp"
#include "tests/support/fake_clock.hpp"

namespace qylon::models {
namespace {

using test::ScriptedHttpServer;
using test::speak;
using test::text_of;
using Kind = RecogniserResult::Kind;

constexpr const char* kWords =
    R"({"task":"transcribe","language":"english","duration":1.0,"text":" Hello, Ann.",)"
    R"("words":[{"word":" Hello,","start":0.1,"end":0.4},{"word":"Ann.","start":0.5,"end":1.4}]})";

class OpenAiHttpTest : public ::testing::Test {
 protected:
  void serve(std::vector<ScriptedHttpServer::Step> steps) {
    server_ = std::make_unique<ScriptedHttpServer>(std::move(steps));
    options_.base_url = server_->base_url();
    options_.model = "whisper-1";
    options_.language = "en";
    options_.concurrency = 1;
    options_.retry_base_ms = 1;
    auto made = OpenAiHttpRecogniser::create(options_, {log_, counters_, clock_});
    ASSERT_TRUE(made) << made.error().message;
    recogniser_ = std::move(*made);
    session_ = recogniser_->open({{"Ann", "Qylon"}}, answers_);
  }

  RecogniserResult hear(std::uint64_t segment, int ms = 1000) {
    speak(*session_, segment, 16'000, std::vector<float>(static_cast<std::size_t>(ms) * 16, 0.25F));
    return answers_->answer(segment);
  }

  test::FakeClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  OpenAiHttpRecogniser::Options options_;
  std::unique_ptr<ScriptedHttpServer> server_;
  std::shared_ptr<test::Answers> answers_ = std::make_shared<test::Answers>();
  std::unique_ptr<OpenAiHttpRecogniser> recogniser_;
  std::unique_ptr<RecogniserSession> session_;
};

TEST_F(OpenAiHttpTest, WordsComeOnTheSampleClockAndInsideTheSegment) {
  serve({{200, kWords}});
  const RecogniserResult result = hear(4);
  ASSERT_EQ(result.kind, Kind::kFinal) << result.reason;
  EXPECT_EQ(text_of(result), "Hello, Ann.");
  EXPECT_EQ(result.segment, 4U);
  EXPECT_EQ(result.words[0].start_ms, 1100);
  EXPECT_EQ(result.words[0].end_ms, 1400);
  EXPECT_EQ(result.words[1].end_ms, 2000);  // Told 1.4 s, but the segment is 1 s long.
  EXPECT_EQ(result.engine, "openai-http");
  EXPECT_EQ(result.language, "english");
}

TEST_F(OpenAiHttpTest, TheRequestCarriesAWavFileModelKeyAndPrompt) {
  options_.key = "sk-canary";
  serve({{200, kWords}});
  hear(1);
  const std::string request = server_->requests().at(0);
  EXPECT_TRUE(request.starts_with("POST /v1/audio/transcriptions HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("Authorization: Bearer sk-canary\r\n"), std::string::npos);
  EXPECT_NE(request.find("name=\"file\"; filename=\"segment.wav\""), std::string::npos);
  EXPECT_NE(request.find("RIFF"), std::string::npos);
  EXPECT_NE(request.find("name=\"model\"\r\n\r\nwhisper-1\r\n"), std::string::npos);
  EXPECT_NE(request.find("verbose_json"), std::string::npos);
  EXPECT_NE(request.find("name=\"prompt\"\r\n\r\nAnn, Qylon\r\n"), std::string::npos);
  // 44 bytes of header, then the second of s16le.
  EXPECT_GT(request.size(), 32'044U);
}

TEST_F(OpenAiHttpTest, ServerErrorsAndCutConnectionsAreTriedAgain) {
  serve({{500, "oops"}, {.cut_at = 20}, {200, kWords}});
  EXPECT_EQ(text_of(hear(1)), "Hello, Ann.");
  EXPECT_EQ(server_->requests().size(), 3U);
}

TEST_F(OpenAiHttpTest, RetriesEndAndTheReasonSaysWhatTheServerSaid) {
  serve({{503, R"({"error":"loading model"})"}});
  const RecogniserResult result = hear(1);
  EXPECT_EQ(result.kind, Kind::kFailed);
  EXPECT_NE(result.reason.find("503"), std::string::npos) << result.reason;
  EXPECT_NE(result.reason.find("loading model"), std::string::npos) << result.reason;
  EXPECT_EQ(server_->requests().size(), 3U);  // Once and two retries.
}

TEST_F(OpenAiHttpTest, ARefusedKeyIsNotTriedAgainAndNotTold) {
  options_.key = "sk-canary";
  serve({{401, R"({"error":{"message":"no"}})"}});
  const RecogniserResult result = hear(1);
  EXPECT_EQ(result.kind, Kind::kFailed);
  EXPECT_EQ(result.reason.find("canary"), std::string::npos);
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(OpenAiHttpTest, AServerWithoutWordTimesIsAskedForPlainJson) {
  serve({{400, "unsupported response_format"}, {200, R"({"text":"one three"})"}});
  const RecogniserResult result = hear(1);
  ASSERT_EQ(text_of(result), "one three");
  // Eight letters in 1000 ms from 1000 ms on: "one" has three of them.
  EXPECT_EQ(result.words[0].start_ms, 1000);
  EXPECT_EQ(result.words[0].end_ms, 1375);
  EXPECT_EQ(result.words[1].end_ms, 2000);
  EXPECT_EQ(server_->requests().at(1).find("verbose_json"), std::string::npos);
  hear(2);
  EXPECT_EQ(server_->requests().size(), 3U);  // It is remembered.
}

TEST_F(OpenAiHttpTest, AnswersThatAreNoTranscriptionFail) {
  serve({{200, "{\"text\":"}, {200, "[]"}, {200, std::string(2U << 20, ' ')}});
  EXPECT_NE(hear(1).reason.find("not a transcription"), std::string::npos);
  EXPECT_NE(hear(2).reason.find("not a transcription"), std::string::npos);
  EXPECT_EQ(hear(3).kind, Kind::kFailed);
}

TEST_F(OpenAiHttpTest, ASlowAnswerIsReadToItsEnd) {
  serve({{.body = kWords, .slow = true}});
  EXPECT_EQ(text_of(hear(1)), "Hello, Ann.");
}

TEST_F(OpenAiHttpTest, ALateServerIsGivenUpAfterItsTimeout) {
  options_.timeout_ms = 100;
  options_.retries = 0;
  serve({{.late = true}});
  const RecogniserResult result = hear(1);
  EXPECT_EQ(result.kind, Kind::kFailed);
  EXPECT_NE(result.reason.find("Timeout"), std::string::npos) << result.reason;
}

TEST_F(OpenAiHttpTest, AServerThatKeepsFailingIsLeftAloneForAWhile) {
  options_.retries = 0;
  serve({{500, ""}, {500, ""}, {500, ""}, {200, kWords}});
  for (std::uint64_t segment = 1; segment <= 3; ++segment)
    EXPECT_EQ(hear(segment).kind, Kind::kFailed);
  EXPECT_NE(hear(4).reason.find("left alone"), std::string::npos);
  EXPECT_EQ(server_->requests().size(), 3U);
  clock_.advance_ms(5001);
  EXPECT_EQ(text_of(hear(5)), "Hello, Ann.");
}

TEST_F(OpenAiHttpTest, SpeechAboveTheBudgetFailsAndTheRestGoesOn) {
  options_.speech_samples_max = 20'000;
  serve({{200, kWords}});
  EXPECT_NE(hear(1, 1500).reason.find("too much speech"), std::string::npos);
  EXPECT_EQ(text_of(hear(2)), "Hello, Ann.");
  EXPECT_EQ(recogniser_->lag_ms(), 0);
}

TEST_F(OpenAiHttpTest, ARunningRequestDoesNotHoldUpTheEnd) {
  serve({{.late = true}});
  speak(*session_, 1, 0, std::vector<float>(1600, 0.1F));
  session_.reset();
  recogniser_.reset();  // The request's timeout is 30 s; the test's is 60 s.
  EXPECT_TRUE(answers_->all().empty());
}

TEST(OpenAiHttp, ABaseUrlMustBeHttp) {
  const test::FakeClock clock;
  const Log log(clock, LogLevel::kError);
  Counters counters;
  OpenAiHttpRecogniser::Options options;
  options.base_url = "file:///etc/passwd";
  const auto made = OpenAiHttpRecogniser::create(options, {log, counters, clock});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("http://"), std::string::npos);
}

}  // namespace
}  // namespace qylon::models

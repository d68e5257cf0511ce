// The worker processes, with a stand-in for libvosk as engine: what is heard is exact, and it
// breaks on demand.
#include "models/worker/worker_recogniser.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "models/recogniser_factory.hpp"
#include "tests/support/asr_answers.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::models {
namespace {

using test::append_run;
using test::run;
using test::speak;
using test::text_of;
using Kind = RecogniserResult::Kind;

class WorkerRecogniserTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(model_.path() + "/am");
    settings_.engine = "vosk";
    settings_.worker_program = QYLON_ASR_WORKER;
    settings_.model_dir = model_.path();
    settings_.vosk_library = QYLON_VOSK_STANDIN;
    settings_.workers = 2;
  }

  void start() {
    auto made = make_recogniser(settings_, {log_, counters_, clock_});
    ASSERT_TRUE(made) << made.error().message;
    recogniser_ = std::move(*made);
    session_ = recogniser_->open({}, answers_);
  }

  RecogniserResult hear(std::uint64_t segment, const std::vector<float>& speech) {
    speak(*session_, segment, 0, speech);
    return answers_->answer(segment);
  }

  test::TemporaryDirectory model_;
  test::FakeClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  RecogniserSettings settings_;
  std::shared_ptr<test::Answers> answers_ = std::make_shared<test::Answers>();
  std::unique_ptr<Recogniser> recogniser_;
  std::unique_ptr<RecogniserSession> session_;
};

/// Turns the clock by `step_ms` every millisecond until destroyed.
class TurningClock {
 public:
  TurningClock(test::FakeClock& clock, int step_ms)
      : thread_([this, &clock, step_ms] {
          while (!done_) {
            clock.advance_ms(step_ms);
            std::this_thread::sleep_until(std::chrono::steady_clock::now() +
                                          std::chrono::milliseconds(1));
          }
        }) {}
  ~TurningClock() {
    done_ = true;
    thread_.join();
  }
  TurningClock(const TurningClock&) = delete;
  TurningClock& operator=(const TurningClock&) = delete;
  TurningClock(TurningClock&&) = delete;
  TurningClock& operator=(TurningClock&&) = delete;

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

TEST_F(WorkerRecogniserTest, ASegmentsWordsComeOnTheSessionsSampleClock) {
  start();
  std::vector<float> speech = run(0, 200);
  append_run(speech, 100, 300);
  append_run(speech, 0, 100);
  append_run(speech, 200, 400);
  speak(*session_, 1, 16'000 * 60, speech);
  const RecogniserResult result = answers_->answer(1);
  ASSERT_EQ(result.kind, Kind::kFinal) << result.reason;
  ASSERT_EQ(text_of(result), "one two");
  EXPECT_EQ(result.words[0].start_ms, 60'200);
  EXPECT_EQ(result.words[0].end_ms, 60'500);
  EXPECT_EQ(result.words[1].start_ms, 60'600);
  EXPECT_EQ(result.words[1].end_ms, 61'000);
  EXPECT_FLOAT_EQ(result.words[0].confidence, 0.875F);
  EXPECT_EQ(result.engine, "vosk");
  EXPECT_EQ(result.stable_words, 2U);
}

TEST_F(WorkerRecogniserTest, AnEarlierEndLeavesOutWhatWasSaidAfterIt) {
  start();
  std::vector<float> speech = run(100, 500);
  append_run(speech, 200, 500);
  session_->begin_segment(1, 0, "");
  session_->push(speech);
  EXPECT_EQ(text_of(answers_->partial(1)), "one two");
  session_->end_segment(8000);
  EXPECT_EQ(text_of(answers_->answer(1)), "one");
}

TEST_F(WorkerRecogniserTest, PartialsGrowAndTheirPrefixIsStable) {
  start();
  session_->begin_segment(1, 0, "");
  session_->push(run(100, 500));
  const RecogniserResult first = answers_->partial(1);
  EXPECT_EQ(text_of(first), "one");
  EXPECT_EQ(first.stable_words, 0U);
  session_->push(run(200, 500));
  session_->push(run(300, 500));
  session_->end_segment(24'000);
  const RecogniserResult last = answers_->answer(1);
  EXPECT_EQ(text_of(last), "one two three");
  std::uint32_t revision = 0;
  for (const RecogniserResult& result : answers_->all()) {
    EXPECT_GT(result.revision, revision);
    revision = result.revision;
    if (result.kind != Kind::kPartial) continue;
    EXPECT_LT(result.stable_words, result.words.size());
  }
}

TEST_F(WorkerRecogniserTest, ACrashCostsARetryAndNothingElse) {
  start();
  auto speech = run(100, 300);
  append_run(speech, test::kCrashOnce, 20);
  const RecogniserResult result = hear(1, speech);
  ASSERT_EQ(result.kind, Kind::kFinal) << result.reason;
  EXPECT_EQ(text_of(result), "one");
  EXPECT_NE(counters_.render().find("qylon_recogniser_retries_total 1"), std::string::npos);
}

TEST_F(WorkerRecogniserTest, ASegmentThatCrashesTwiceFailsAndItsNeighboursDoNot) {
  start();
  const auto neighbour = recogniser_->open({}, answers_);
  neighbour->begin_segment(2, 0, "");
  neighbour->push(run(200, 1000));
  const RecogniserResult broken = hear(1, run(test::kCrash, 300));
  EXPECT_EQ(broken.kind, Kind::kFailed);
  EXPECT_NE(broken.reason.find("broke twice"), std::string::npos) << broken.reason;
  neighbour->end_segment(16'000);
  EXPECT_EQ(text_of(answers_->answer(2)), "two");
  EXPECT_EQ(text_of(hear(3, run(300, 500))), "three");
}

TEST_F(WorkerRecogniserTest, AHangEndsAtItsDeadline) {
  start();
  const TurningClock turning(clock_, 50);
  // Twice, because the second worker hangs too: 10 s + 4 s per second of audio each.
  const RecogniserResult result = hear(1, run(test::kHang, 200));
  EXPECT_EQ(result.kind, Kind::kFailed);
  EXPECT_NE(result.reason.find("too long"), std::string::npos) << result.reason;
  EXPECT_EQ(text_of(hear(2, run(100, 500))), "one");
}

TEST_F(WorkerRecogniserTest, AnUnreadableAnswerEndsTheWorkerAndFailsTheSegment) {
  start();
  const RecogniserResult result = hear(1, run(test::kBadJson, 100));
  EXPECT_EQ(result.kind, Kind::kFailed);
  EXPECT_EQ(text_of(hear(2, run(100, 500))), "one");
}

TEST_F(WorkerRecogniserTest, ALostZygoteIsStartedAgain) {
  start();
  const TurningClock turning(clock_, 10);  // For the pauses before each start.
  EXPECT_EQ(hear(1, run(test::kKillParent, 20)).kind, Kind::kFailed);
  EXPECT_EQ(text_of(hear(2, run(300, 500))), "three");
}

TEST_F(WorkerRecogniserTest, WorkersHoldNothingButTheirSocket) {
  start();
  // /dev/null twice, stderr, the socket.
  EXPECT_EQ(text_of(hear(1, run(test::kCountFiles, 100))), "4");
}

TEST_F(WorkerRecogniserTest, EverySessionGetsItsOwnWords) {
  start();
  std::vector<std::unique_ptr<RecogniserSession>> sessions;
  std::vector<std::shared_ptr<test::Answers>> answers;
  for (int i = 0; i < 7; ++i) {
    answers.push_back(std::make_shared<test::Answers>());
    sessions.push_back(recogniser_->open({}, answers.back()));
    sessions.back()->begin_segment(9, 0, "");
    sessions.back()->push(run(100 * (i + 1), 1000));
  }
  for (auto& session : sessions)
    session->end_segment(16'000);
  constexpr std::array kWords{"one", "two", "three", "four", "five", "six", "seven"};
  for (std::size_t i = 0; i < sessions.size(); ++i)
    EXPECT_EQ(text_of(answers[i]->answer(9)), kWords[i]);
  EXPECT_EQ(recogniser_->lag_ms(), 0);
}

TEST_F(WorkerRecogniserTest, AnEmptySegmentIsAnsweredWithoutWords) {
  start();
  session_->begin_segment(1, 500, "");
  session_->push(run(100, 500));
  session_->end_segment(500);
  const RecogniserResult result = answers_->answer(1);
  EXPECT_EQ(result.kind, Kind::kFinal);
  EXPECT_TRUE(result.words.empty());
}

TEST_F(WorkerRecogniserTest, SpeechThatCannotBeHeldFailsWithAReason) {
  settings_.speech_s_max = 1;
  start();
  const RecogniserResult result = hear(1, run(100, 1500));
  EXPECT_EQ(result.kind, Kind::kFailed);
  EXPECT_NE(result.reason.find("too much speech"), std::string::npos) << result.reason;
  EXPECT_EQ(text_of(hear(2, run(100, 500))), "one");
}

TEST_F(WorkerRecogniserTest, AClosedSessionGetsNoAnswerAndFreesItsWorker) {
  settings_.workers = 1;
  start();
  for (std::uint64_t i = 0; i < 5; ++i) {
    auto gone = std::make_shared<test::Answers>();
    auto session = recogniser_->open({}, gone);
    session->begin_segment(i, 0, "");
    session->push(run(100, 500));
    session.reset();
    EXPECT_TRUE(gone->all().empty());
  }
  EXPECT_EQ(text_of(hear(9, run(200, 500))), "two");
}

TEST_F(WorkerRecogniserTest, NoProcessOutlivesTheRecogniser) {
  start();
  EXPECT_EQ(text_of(hear(1, run(100, 500))), "one");
  session_.reset();
  recogniser_.reset();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(WorkerRecogniserTest, AMissingLibraryIsNamedAtTheStart) {
  settings_.vosk_library = "/nowhere/libvosk.so";
  const auto made = make_recogniser(settings_, {log_, counters_, clock_});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("/nowhere/libvosk.so"), std::string::npos);
}

TEST_F(WorkerRecogniserTest, ALibraryThatIsNotVoskIsNamedAtTheStart) {
  settings_.vosk_library = "libm.so.6";
  const auto made = make_recogniser(settings_, {log_, counters_, clock_});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("not libvosk"), std::string::npos) << made.error().message;
}

TEST_F(WorkerRecogniserTest, AMissingOrWrongModelIsNamedAtTheStart) {
  settings_.model_dir = "/nowhere/model";
  auto made = make_recogniser(settings_, {log_, counters_, clock_});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("/nowhere/model"), std::string::npos);
  std::filesystem::remove(model_.path() + "/am");
  settings_.model_dir = model_.path();
  made = make_recogniser(settings_, {log_, counters_, clock_});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find(model_.path()), std::string::npos);
}

TEST_F(WorkerRecogniserTest, AMissingWorkerProgramIsNamedAtTheStart) {
  settings_.worker_program = "/nowhere/qylon";
  const auto made = make_recogniser(settings_, {log_, counters_, clock_});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("/nowhere/qylon"), std::string::npos);
}

TEST(MakeRecogniser, AnUnknownEngineIsRefusedWithTheKnownOnes) {
  const test::FakeClock clock;
  const Log log(clock, LogLevel::kError);
  Counters counters;
  RecogniserSettings settings;
  settings.engine = "sphinx";
  const auto made = make_recogniser(settings, {log, counters, clock});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("openai-http"), std::string::npos);
}

}  // namespace
}  // namespace qylon::models

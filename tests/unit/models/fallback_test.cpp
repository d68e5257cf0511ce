#include "models/fallback.hpp"

#include <gtest/gtest.h>

#include "tests/support/asr_answers.hpp"

namespace qylon::models {
namespace {

using test::text_of;
using Kind = RecogniserResult::Kind;

/// As ScriptedRecogniser, but shows no partials, and keeps every session's segments apart.
class Engine final : public Recogniser {
 public:
  struct Heard {
    std::uint64_t segment = 0;
    std::int64_t start = 0;
    std::int64_t end = -1;
    std::vector<float> samples;
    std::shared_ptr<RecogniserSink> sink;
  };
  Engine(std::string name, bool partials) : name_(std::move(name)), partials_(partials) {}

  RecogniserCaps caps() const override {
    RecogniserCaps caps;
    caps.engine = name_;
    caps.partials = partials_;
    return caps;
  }
  std::int64_t lag_ms() const override { return 7; }
  std::unique_ptr<RecogniserSession> open(const RecogniserSessionOptions&,
                                          std::shared_ptr<RecogniserSink> sink) override {
    return std::make_unique<Session>(heard, std::move(sink));
  }

  void say(const Heard& to, Kind kind, const std::string& word) const {
    RecogniserResult result;
    result.segment = to.segment;
    result.kind = kind;
    result.engine = name_;
    if (kind == Kind::kFailed) {
      result.reason = word;
    } else {
      result.words.push_back({word, 0, 1, 0.5F});
    }
    to.sink->on_result(std::move(result));
  }

  std::vector<std::shared_ptr<Heard>> heard;

 private:
  class Session final : public RecogniserSession {
   public:
    Session(std::vector<std::shared_ptr<Heard>>& heard, std::shared_ptr<RecogniserSink> sink)
        : heard_(heard), sink_(std::move(sink)) {}
    void begin_segment(std::uint64_t segment, std::int64_t start, std::string_view) override {
      open_ = std::make_shared<Heard>(Heard{segment, start, -1, {}, sink_});
      heard_.push_back(open_);
    }
    void push(std::span<const float> samples) override {
      open_->samples.insert(open_->samples.end(), samples.begin(), samples.end());
    }
    void end_segment(std::int64_t end) override { open_->end = end; }

   private:
    std::vector<std::shared_ptr<Heard>>& heard_;
    std::shared_ptr<RecogniserSink> sink_;
    std::shared_ptr<Heard> open_;
  };

  const std::string name_;
  const bool partials_;
};

class FallbackTest : public ::testing::Test {
 protected:
  void build(bool primary_partials, std::int64_t samples_max = 100'000) {
    auto first = std::make_unique<Engine>("first", primary_partials);
    auto second = std::make_unique<Engine>("second", true);
    first_ = first.get();
    second_ = second.get();
    both_ = std::make_unique<FallbackRecogniser>(
        std::move(first), std::move(second), samples_max, counters_);
    session_ = both_->open({}, answers_);
  }
  void speak(std::uint64_t segment) {
    session_->begin_segment(segment, 1000, "");
    session_->push(std::vector<float>(500, 0.5F));
    session_->end_segment(1400);
  }

  Counters counters_;
  std::shared_ptr<test::Answers> answers_ = std::make_shared<test::Answers>();
  Engine* first_ = nullptr;
  Engine* second_ = nullptr;
  std::unique_ptr<FallbackRecogniser> both_;
  std::unique_ptr<RecogniserSession> session_;
};

TEST_F(FallbackTest, TheFirstEnginesFinalIsTheAnswerAndTheSecondIsNotAsked) {
  build(true);
  speak(1);
  first_->say(*first_->heard.at(0), Kind::kFinal, "hello");
  EXPECT_EQ(text_of(answers_->answer(1)), "hello");
  EXPECT_EQ(answers_->answer(1).engine, "first");
  EXPECT_TRUE(second_->heard.empty());
}

TEST_F(FallbackTest, AFailedSegmentIsDecodedByTheSecondWhichSaysSo) {
  build(true);
  speak(1);
  first_->say(*first_->heard.at(0), Kind::kFailed, "down");
  EXPECT_TRUE(answers_->all().empty());
  ASSERT_EQ(second_->heard.size(), 1U);
  const Engine::Heard& again = *second_->heard.front();
  EXPECT_EQ(again.start, 1000);
  EXPECT_EQ(again.end, 1400);
  ASSERT_EQ(again.samples.size(), 500U);
  EXPECT_NEAR(again.samples.front(), 0.5F, 1e-4);
  second_->say(again, Kind::kFinal, "hello");
  EXPECT_EQ(answers_->answer(1).engine, "second");
  EXPECT_EQ(answers_->all().size(), 1U);
}

TEST_F(FallbackTest, WhenBothFailTheSecondsReasonIsTold) {
  build(true);
  speak(1);
  first_->say(*first_->heard.at(0), Kind::kFailed, "down");
  second_->say(*second_->heard.at(0), Kind::kFailed, "down too");
  EXPECT_EQ(answers_->answer(1).kind, Kind::kFailed);
  EXPECT_EQ(answers_->answer(1).reason, "down too");
}

TEST_F(FallbackTest, PartialsOfTheSecondStandInAndItsEmptyFinalDoesNotCount) {
  build(false);
  EXPECT_TRUE(both_->caps().partials);
  speak(1);
  ASSERT_EQ(second_->heard.size(), 1U);
  const Engine::Heard& live = *second_->heard.front();
  EXPECT_EQ(live.end, live.start);  // No final is asked for.
  second_->say(live, Kind::kPartial, "hel");
  second_->say(live, Kind::kFinal, "");
  first_->say(*first_->heard.at(0), Kind::kFinal, "hello");
  const auto all = answers_->all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].kind, Kind::kPartial);
  EXPECT_EQ(text_of(all[1]), "hello");
  EXPECT_GT(all[1].revision, all[0].revision);
}

TEST_F(FallbackTest, NothingFollowsAnAnswer) {
  build(false);
  speak(1);
  first_->say(*first_->heard.at(0), Kind::kFinal, "hello");
  second_->say(*second_->heard.at(0), Kind::kPartial, "late");
  first_->say(*first_->heard.at(0), Kind::kFinal, "again");
  first_->say(*first_->heard.at(0), Kind::kFailed, "again");
  EXPECT_EQ(answers_->all().size(), 1U);
}

TEST_F(FallbackTest, ASegmentTooLongToKeepStaysFailed) {
  build(true, 400);
  speak(1);
  first_->say(*first_->heard.at(0), Kind::kFailed, "down");
  EXPECT_EQ(answers_->answer(1).reason, "down");
  // An answered segment gives its room back.
  session_->begin_segment(2, 0, "");
  session_->push(std::vector<float>(300, 0.5F));
  session_->end_segment(300);
  first_->say(*first_->heard.at(1), Kind::kFailed, "down");
  EXPECT_EQ(second_->heard.size(), 1U);
}

TEST_F(FallbackTest, AClosedSessionHearsNothingMore) {
  build(false);
  speak(1);
  const auto first = first_->heard.at(0);
  const auto second = second_->heard.at(0);
  session_.reset();
  first_->say(*first, Kind::kFinal, "hello");
  second_->say(*second, Kind::kPartial, "hel");
  EXPECT_TRUE(answers_->all().empty());
}

TEST_F(FallbackTest, LagIsThatOfBothEngines) {
  build(true);
  EXPECT_EQ(both_->lag_ms(), 14);
}

}  // namespace
}  // namespace qylon::models

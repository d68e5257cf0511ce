#include "media/captioner.hpp"

#include <gtest/gtest.h>

#include "tests/support/caption_host.hpp"
#include "tests/support/scripted_recogniser.hpp"

namespace qylon::media {
namespace {

using Kind = models::RecogniserResult::Kind;

/// A captioner of a one-person track with a recogniser answered by hand.
class CaptionerTest : public ::testing::Test, protected test::CaptionHost {
 protected:
  /// Results come straight back, as if the shard's mailbox were empty.
  class Sink final : public models::RecogniserSink {
   public:
    explicit Sink(CaptionerTest& test) : test_(test) {}
    void on_result(models::RecogniserResult result) override {
      test_.captioner_->on_result(std::move(result));
    }

   private:
    CaptionerTest& test_;
  };

  CaptionerTest() {
    Captioner::Options options;
    options.track = 3;
    options.zero_ms = 10'000;
    options.speaker = Speaker{"t3", "Ann", Provenance::kTrack, 1.0F};
    captioner_ = std::make_unique<Captioner>(
        options,
        Captioner::Parts{.host = *this,
                         .session = recogniser_.open({}, std::make_shared<Sink>(*this)),
                         .voices = nullptr,
                         .given_up = given_up_});
  }

  void blocks(int milliseconds, float probability) {
    for (int i = 0; i < milliseconds / 10; ++i) {
      Block block;
      block.start_sample = now_;
      block.speech_probability = probability;
      captioner_->on_block(block);
      now_ += kBlockSamples;
    }
  }

  test::ScriptedRecogniser recogniser_;
  Counter given_up_;
  std::unique_ptr<Captioner> captioner_;
  std::int64_t now_ = 0;
};

TEST_F(CaptionerTest, AnUtteranceIsFedWithItsPreRollAndEndsWithItsPostRoll) {
  blocks(1000, 0.0F);
  blocks(1000, 0.9F);
  blocks(1000, 0.0F);
  ASSERT_EQ(recogniser_.segments.size(), 1U);
  const auto& fed = recogniser_.segments.at(1);
  EXPECT_EQ(fed.start, 900 * 16);
  EXPECT_EQ(fed.end, 2100 * 16);
  EXPECT_EQ(fed.samples, (2300 - 900) * 16U);  // Up to where the pause was certain.
}

TEST_F(CaptionerTest, AFinalCarriesMeetingTimeSpeakerAndWords) {
  blocks(1000, 0.9F);
  blocks(1000, 0.0F);
  recogniser_.answer(1, {"good", "morning"});
  ASSERT_EQ(finals_.size(), 1U);
  const Caption& caption = finals_.front();
  EXPECT_EQ(caption.text, "good morning");
  EXPECT_EQ(caption.track, 3);
  EXPECT_EQ(caption.start_ms, 10'000);
  EXPECT_EQ(caption.end_ms, 11'100);
  EXPECT_EQ(caption.speaker.name, "Ann");
  EXPECT_EQ(caption.words[1].start_ms, 10'100);
  EXPECT_FLOAT_EQ(caption.confidence, 0.5F);
  EXPECT_EQ(captioner_->waiting(), 0U);
}

TEST_F(CaptionerTest, InterimsRiseInRevisionAndTheFinalComesLast) {
  blocks(500, 0.9F);
  recogniser_.answer(1, {"good"}, Kind::kPartial);
  recogniser_.answer(1, {"good", "more"}, Kind::kPartial);
  blocks(1000, 0.0F);
  recogniser_.answer(1, {"good", "morning"});
  ASSERT_EQ(interims_.size(), 2U);
  EXPECT_LT(interims_[0].revision, interims_[1].revision);
  EXPECT_LT(interims_[1].revision, finals_.at(0).revision);
  EXPECT_EQ(interims_[1].segment, finals_[0].segment);
}

TEST_F(CaptionerTest, NoiseWithoutWordsLeavesNoTrace) {
  blocks(500, 0.9F);
  blocks(1000, 0.0F);
  recogniser_.answer(1, {});
  EXPECT_TRUE(finals_.empty());
  EXPECT_EQ(captioner_->waiting(), 0U);
}

TEST_F(CaptionerTest, AnInterimThatProvesWrongIsTakenBack) {
  blocks(500, 0.9F);
  recogniser_.answer(1, {"uh"}, Kind::kPartial);
  blocks(1000, 0.0F);
  recogniser_.answer(1, {});
  ASSERT_EQ(finals_.size(), 1U);
  EXPECT_EQ(finals_[0].text, "");
}

TEST_F(CaptionerTest, AFailedSegmentKeepsTheWordsThatWereShown) {
  blocks(500, 0.9F);
  recogniser_.answer(1, {"good", "morning"}, Kind::kPartial);
  blocks(1000, 0.0F);
  recogniser_.answer(1, {}, Kind::kFailed);
  ASSERT_EQ(finals_.size(), 1U);
  EXPECT_EQ(finals_[0].text, "good morning");
  EXPECT_EQ(given_up_.value(), 1U);
}

TEST_F(CaptionerTest, FinalsMayComeLateAndOutOfOrder) {
  for (int i = 0; i < 2; ++i) {
    blocks(1000, 0.9F);
    blocks(1000, 0.0F);
  }
  recogniser_.answer(2, {"second"});
  recogniser_.answer(1, {"first"});
  ASSERT_EQ(finals_.size(), 2U);
  EXPECT_EQ(finals_[0].text, "second");
  EXPECT_EQ(finals_[1].start_ms, 10'000);
}

TEST_F(CaptionerTest, AnAnswerAfterGivingUpIsIgnored) {
  blocks(500, 0.9F);
  blocks(1000, 0.0F);
  captioner_->give_up_waiting();
  recogniser_.answer(1, {"late"});
  EXPECT_TRUE(finals_.empty());
}

TEST_F(CaptionerTest, LongSpeechIsCutWithoutLosingOrDoublingASample) {
  blocks(30'000, 0.9F);
  captioner_->flush();
  ASSERT_GE(recogniser_.segments.size(), 3U);
  std::int64_t end = 0;
  for (const auto& [id, fed] : recogniser_.segments) {
    EXPECT_EQ(fed.start, end);
    EXPECT_GE(fed.samples, static_cast<std::size_t>(fed.end - fed.start));
    end = fed.end;
  }
  EXPECT_EQ(end, 30'000 * 16);
}

TEST_F(CaptionerTest, WaitingUtterancesAreBounded) {
  for (std::size_t i = 0; i < Captioner::kWaitingMax + 10; ++i) {
    blocks(100, 0.9F);
    blocks(600, 0.0F);
  }
  EXPECT_LE(captioner_->waiting(), Captioner::kWaitingMax);
  EXPECT_EQ(given_up_.value(), 10U);
}

}  // namespace
}  // namespace qylon::media

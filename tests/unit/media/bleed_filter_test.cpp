#include "media/bleed_filter.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/caption_host.hpp"
#include "tests/support/scripted_recogniser.hpp"
#include "tests/support/synthetic_voices.hpp"

namespace qylon::media {
namespace {

using Kind = models::RecogniserResult::Kind;

/// Two people's tracks whose sounds are given, and whose words are answered by hand. Ann's first
/// utterance is segment 1.
class BleedFilterTest : public ::testing::Test, protected test::CaptionHost {
 protected:
  class Sink final : public models::RecogniserSink {
   public:
    Sink(BleedFilterTest& test, TrackId track) : test_(test), track_(track) {}
    void on_result(models::RecogniserResult result) override {
      test_.captioners_.at(track_)->on_result(std::move(result));
    }

   private:
    BleedFilterTest& test_;
    const TrackId track_;
  };

  BleedFilterTest() {
    for (const TrackId track : {TrackId{0}, TrackId{1}}) {
      Captioner::Options options;
      options.track = track;
      options.zero_ms = 1000 * track;  // Their clocks began apart.
      options.speaker = Speaker{"t" + std::to_string(track), "", Provenance::kTrack, 1.0F};
      captioners_[track] = std::make_unique<Captioner>(
          options,
          Captioner::Parts{.host = filter_,
                           .session = recogniser_.open({}, std::make_shared<Sink>(*this, track)),
                           .voices = nullptr,
                           .given_up = given_up_});
      filter_.add(track, *captioners_[track]);
    }
  }

  /// Both tracks from meeting time 1000 ms on, block by block; `speaks` tells when each has speech.
  void hear(const std::vector<float>& ann,
            const std::vector<float>& ben,
            const std::function<bool(TrackId, std::int64_t)>& speaks) {
    for (std::size_t at = 0; at + kBlockSamples <= ann.size(); at += kBlockSamples) {
      for (const TrackId track : {TrackId{0}, TrackId{1}}) {
        const std::vector<float>& samples = track == 0 ? ann : ben;
        Block block;
        block.start_sample = static_cast<std::int64_t>(at) + (track == 0 ? 16'000 : 0);
        std::copy_n(samples.begin() + static_cast<std::ptrdiff_t>(at),
                    kBlockSamples,
                    block.samples.begin());
        block.speech_probability = speaks(track, static_cast<std::int64_t>(at) / 16) ? 0.9F : 0.0F;
        captioners_[track]->on_block(block);
      }
    }
  }

  /// Ann speaks from 1 s to 3 s; Ben's microphone hears it 40 ms later and `gain_db` louder.
  void ann_speaks(float gain_db) {
    std::vector<float> ann(5 * kPipelineRateHz);
    const std::vector<float> voice = diarization::synthetic_speech(2, 120, 1.0, 1);
    std::copy(voice.begin(), voice.end(), ann.begin() + kPipelineRateHz);
    hear(ann, late(ann, gain_db), [](TrackId, std::int64_t ms) { return ms >= 1000 && ms < 3000; });
  }

  static std::vector<float> late(const std::vector<float>& samples, float gain_db) {
    std::vector<float> out(samples.size());
    for (std::size_t i = 640; i < out.size(); ++i)
      out[i] = samples[i - 640] * std::pow(10.0F, gain_db / 20);
    return out;
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const Caption& caption : finals_)
      out.push_back(std::to_string(caption.track) + ":" + caption.text);
    return out;
  }

  test::ScriptedRecogniser recogniser_;
  Counter given_up_;
  Counter words_;
  Counter overflow_;
  BleedFilter filter_{*this, {words_, overflow_}};
  std::map<TrackId, std::unique_ptr<Captioner>> captioners_;
};

using Texts = std::vector<std::string>;
const Texts kSaid{"one", "two", "three"};

TEST_F(BleedFilterTest, OneVoiceOnTwoTracksIsCaptionedOnTheLouder) {
  ann_speaks(-12);
  recogniser_.answer(1, kSaid);
  recogniser_.answer(2, kSaid);
  EXPECT_EQ(texts(), Texts{"0:one two three"});
  EXPECT_EQ(words_.value(), 3U);
}

TEST_F(BleedFilterTest, TheQuieterOneWaitsForTheLouder) {
  ann_speaks(-12);
  recogniser_.answer(2, {"one", "too", "tree"});
  EXPECT_TRUE(finals_.empty());
  EXPECT_FALSE(filter_.empty());
  recogniser_.answer(1, kSaid);
  EXPECT_EQ(texts(), Texts{"0:one two three"});
  EXPECT_TRUE(filter_.empty());
}

TEST_F(BleedFilterTest, WhatTheLouderTrackHadNoWordsForIsKept) {
  ann_speaks(-12);
  recogniser_.answer(2, kSaid);
  recogniser_.answer(1, {}, Kind::kFailed);
  filter_.tick();
  EXPECT_EQ(texts(), Texts{"1:one two three"});
}

TEST_F(BleedFilterTest, OfEqualTracksTheFirstFinalCounts) {
  ann_speaks(0);
  recogniser_.answer(2, kSaid);
  recogniser_.answer(1, kSaid);
  EXPECT_EQ(texts(), Texts{"0:one two three"});
}

TEST_F(BleedFilterTest, InterimsOfBleedAreNotShown) {
  ann_speaks(-12);
  recogniser_.answer(2, kSaid, Kind::kPartial);
  recogniser_.answer(1, kSaid, Kind::kPartial);
  ASSERT_EQ(interims_.size(), 1U);
  EXPECT_EQ(interims_[0].track, 0);
}

TEST_F(BleedFilterTest, TwoPeopleWhoSpeakAtOnceAreBothCaptioned) {
  std::vector<float> ann(5 * kPipelineRateHz);
  std::vector<float> ben(5 * kPipelineRateHz);
  const std::vector<float> first = diarization::synthetic_speech(2, 120, 1.0, 1);
  const std::vector<float> second = diarization::synthetic_speech(2, 210, 1.2, 2);
  std::copy(first.begin(), first.end(), ann.begin() + 3 * kPipelineRateHz / 2);
  const std::vector<float> bleed = late(ann, -12);
  std::copy(second.begin(), second.end(), ben.begin() + kPipelineRateHz);
  for (std::size_t i = 0; i < ben.size(); ++i)
    ben[i] += bleed[i];
  hear(ann, ben, [](TrackId track, std::int64_t ms) {
    return ms >= (track == 0 ? 1500 : 1000) && ms < 3000;
  });
  recogniser_.answer(1, {"four", "five", "six", "seven", "eight", "nine"});  // Ben was first.
  recogniser_.answer(2, kSaid);
  EXPECT_EQ(texts(), (Texts{"1:four five six seven eight nine", "0:one two three"}));
}

TEST_F(BleedFilterTest, TheEndOfTheMeetingWaitsForNobody) {
  ann_speaks(-12);
  recogniser_.answer(2, kSaid);
  filter_.release_all();
  EXPECT_EQ(texts(), Texts{"1:one two three"});
}

}  // namespace
}  // namespace qylon::media

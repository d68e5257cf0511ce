#include "models/worker/segment_store.hpp"

#include <gtest/gtest.h>

#include "tests/support/asr_answers.hpp"
#include "tests/support/fake_clock.hpp"

namespace qylon::models {
namespace {

class SegmentStoreTest : public ::testing::Test {
 protected:
  SessionKey open() { return store_.open_session(std::make_shared<Vocabulary>(), sink_); }
  SegmentKey begin(SessionKey session, std::string_view speaker = "s1") {
    return store_.begin(session, 7, 1600, speaker);
  }

  test::FakeClock clock_;
  int wakes_ = 0;
  std::shared_ptr<test::Answers> sink_ = std::make_shared<test::Answers>();
  SegmentStore store_{{1000, 2500, 2}, clock_, [this] { ++wakes_; }};
  const std::vector<std::int16_t> audio_ = std::vector<std::int16_t>(800, 5);
};

TEST_F(SegmentStoreTest, AnEndBeforeTheLastSampleCutsTheSegment) {
  const SegmentKey key = begin(open());
  store_.append(key, audio_);
  store_.end(key, 1600 + 300);
  const SegmentView view = store_.views().at(0);
  EXPECT_TRUE(view.ended);
  EXPECT_EQ(view.samples, 300);
  EXPECT_EQ(store_.waiting_samples(), 300);
  EXPECT_EQ(store_.audio(key, 0, view.samples).size(), 600U);
}

TEST_F(SegmentStoreTest, ASegmentAboveItsLimitIsRefusedAndItsAudioFreed) {
  const SegmentKey key = begin(open());
  store_.append(key, audio_);
  store_.append(key, audio_);
  EXPECT_TRUE(store_.views().at(0).refused);
  EXPECT_EQ(store_.audio(key, 0, 1000).size(), 0U);
}

TEST_F(SegmentStoreTest, AllSegmentsTogetherStayInTheBudgetUntilOneIsAnswered) {
  const SessionKey session = open();
  std::vector<SegmentKey> keys;
  for (int i = 0; i < 4; ++i) {
    keys.push_back(begin(session));
    store_.append(keys.back(), audio_);
  }
  EXPECT_FALSE(store_.views().at(2).refused);
  EXPECT_TRUE(store_.views().at(3).refused);
  store_.remove(keys[0]);
  const SegmentKey next = begin(session);
  store_.append(next, audio_);
  EXPECT_FALSE(store_.views().back().refused);
}

TEST_F(SegmentStoreTest, AClosedSessionAbandonsItsSegmentsAndHasNoSink) {
  const SessionKey session = open();
  const SegmentKey key = begin(session);
  store_.close_session(session);
  EXPECT_TRUE(store_.views().at(0).abandoned);
  EXPECT_EQ(store_.next_revision(key)->sink, nullptr);
}

TEST_F(SegmentStoreTest, RevisionsRiseInsideASegment) {
  const SegmentKey key = begin(open());
  EXPECT_EQ(store_.next_revision(key)->revision, 1U);
  EXPECT_EQ(store_.next_revision(key)->revision, 2U);
  EXPECT_EQ(store_.next_revision(key)->segment, 7U);
  EXPECT_FALSE(store_.next_revision(key + 1).has_value());
}

TEST_F(SegmentStoreTest, ASpeakersMeanIsTheFrameWeightedAverageOfHisSegments) {
  const SessionKey session = open();
  store_.learn_mean(begin(session), {{10.0F}, 100.0F});
  store_.learn_mean(begin(session), {{40.0F}, 50.0F});
  const CepstralMean mean = store_.expected_mean(begin(session));
  // (10 * 100 + 40 * 50) / 150 = 20.
  EXPECT_FLOAT_EQ(mean.values.at(0), 20.0F);
  EXPECT_FLOAT_EQ(mean.frames, 150.0F);
  EXPECT_TRUE(store_.expected_mean(begin(session, "s2")).values.empty());
  EXPECT_TRUE(store_.expected_mean(begin(open())).values.empty());
}

TEST_F(SegmentStoreTest, OnlyTheNewestSpeakersAreRemembered) {
  const SessionKey session = open();
  for (const char* speaker : {"a", "b", "c"})
    store_.learn_mean(begin(session, speaker), {{1.0F}, 1.0F});
  EXPECT_TRUE(store_.expected_mean(begin(session, "a")).values.empty());
  EXPECT_FALSE(store_.expected_mean(begin(session, "c")).values.empty());
}

TEST_F(SegmentStoreTest, AnUnknownSpeakerTeachesNothing) {
  const SessionKey session = open();
  store_.learn_mean(begin(session, ""), {{1.0F}, 1.0F});
  EXPECT_TRUE(store_.expected_mean(begin(session, "")).values.empty());
}

TEST_F(SegmentStoreTest, AudioAndEndsWakeTheSupervisor) {
  const SegmentKey key = begin(open());
  store_.append(key, audio_);
  store_.end(key, 1700);
  EXPECT_EQ(wakes_, 2);
}

}  // namespace
}  // namespace qylon::models

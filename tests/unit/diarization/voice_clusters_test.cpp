#include "diarization/voice_clusters.hpp"

#include <gtest/gtest.h>

#include "tests/support/synthetic_voices.hpp"

namespace qylon::diarization {
namespace {

/// A meeting whose windows are made of directions instead of sound.
class Meeting {
 public:
  explicit Meeting(int voices, const VoiceClusters::Options& options = {})
      : model_(*EmbeddingModel::load_default()),
        clusters_(model_, options),
        synthetic_(model_->size(), 17) {
    for (int v = 0; v < voices; ++v)
      directions_.push_back(synthetic_.direction());
  }

  VoiceClusters::Assignment hear(VoiceClusters::Follower& track,
                                 int voice,
                                 float window_s = 1.5F,
                                 float gap_s = 0.0F) {
    embedding_ = synthetic_.near(directions_[static_cast<std::size_t>(voice)], 0.75F);
    return clusters_.observe(track, observation(window_s, gap_s));
  }

  VoiceClusters::Assignment judge(const VoiceClusters::Follower& track, int voice) {
    embedding_ = synthetic_.near(directions_[static_cast<std::size_t>(voice)], 0.75F);
    return clusters_.judge(track, observation(1.0F));
  }

  VoiceClusters& clusters() { return clusters_; }

 private:
  VoiceClusters::Observation observation(float window_s, float gap_s = 0.0F) const {
    VoiceClusters::Observation out;
    out.embedding = embedding_;
    out.window_s = window_s;
    out.gap_s = gap_s;
    return out;
  }

  std::shared_ptr<const EmbeddingModel> model_;
  VoiceClusters clusters_;
  SyntheticVoices synthetic_;
  std::vector<std::vector<float>> directions_;
  std::vector<float> embedding_;
};

TEST(VoiceClusters, NumberVoicesInTheOrderOfAppearance) {
  Meeting meeting(3);
  VoiceClusters::Follower track;
  std::vector<int> last;
  for (const int voice : {0, 1, 0, 2, 1}) {
    int given = -1;
    for (int i = 0; i < 4; ++i)
      given = meeting.hear(track, voice).voice;
    last.push_back(given);
  }
  EXPECT_EQ(last, (std::vector<int>{0, 1, 0, 2, 1}));
  EXPECT_EQ(meeting.clusters().voice_count(), 3);
}

TEST(VoiceClusters, WithholdALabelUntilANewVoiceIsHeardTwice) {
  Meeting meeting(2);
  VoiceClusters::Follower track;
  for (int i = 0; i < 20; ++i)
    meeting.hear(track, 0);
  const VoiceClusters::Assignment once = meeting.hear(track, 1, 1.5F, 6.0F);
  EXPECT_EQ(once.voice, -1);
  EXPECT_EQ(meeting.clusters().voice_count(), 1);
  const VoiceClusters::Assignment twice = meeting.hear(track, 1);
  EXPECT_EQ(twice.voice, 1);
  EXPECT_EQ(meeting.clusters().voice_of(once.evidence), 1);  // Known in hindsight.
}

TEST(VoiceClusters, SettleForOneWindowOfANewVoiceWhenItsSpeechIsOver) {
  Meeting meeting(2);
  VoiceClusters::Follower track;
  for (int i = 0; i < 20; ++i)
    meeting.hear(track, 0);
  EXPECT_EQ(meeting.clusters().settle(track), -1);  // Nothing waits.
  const VoiceClusters::Assignment once = meeting.hear(track, 1, 1.5F, 6.0F);
  EXPECT_EQ(meeting.clusters().settle(track), 1);
  EXPECT_EQ(meeting.clusters().voice_of(once.evidence), 1);
}

TEST(VoiceClusters, FoundNoVoiceOnShortWindows) {
  Meeting meeting(2);
  VoiceClusters::Follower track;
  for (int i = 0; i < 3; ++i)
    meeting.hear(track, 0);
  for (int i = 0; i < 3; ++i)
    meeting.hear(track, 1, 0.4F);
  EXPECT_EQ(meeting.clusters().voice_count(), 1);
}

TEST(VoiceClusters, KnowAVoiceOnAnotherTrack) {
  Meeting meeting(2);
  VoiceClusters::Follower left;
  VoiceClusters::Follower right;
  for (int i = 0; i < 4; ++i) {
    meeting.hear(left, 0);
    meeting.hear(right, 1);
  }
  EXPECT_EQ(meeting.hear(right, 0).voice, meeting.clusters().voice_of(0));
  EXPECT_EQ(meeting.clusters().voice_count(), 2);
}

TEST(VoiceClusters, KeepTheirNumbersThroughRefreshes) {
  Meeting meeting(4);
  VoiceClusters::Follower track;
  std::vector<std::int64_t> evidence;
  for (int turn = 0; turn < 40; ++turn) {
    for (int i = 0; i < 10; ++i)
      evidence.push_back(meeting.hear(track, turn % 4).evidence);
  }
  EXPECT_EQ(meeting.clusters().voice_count(), 4);
  for (std::size_t i = 0; i < evidence.size(); ++i)
    EXPECT_EQ(meeting.clusters().voice_of(evidence[i]), static_cast<int>(i / 10 % 4)) << i;
}

TEST(VoiceClusters, JudgeWithoutKeepingEvidence) {
  Meeting meeting(2);
  VoiceClusters::Follower track;
  EXPECT_EQ(meeting.judge(track, 0).voice, -1);  // Nobody is known yet.
  for (int i = 0; i < 4; ++i)
    meeting.hear(track, 0);
  const VoiceClusters::Assignment judged = meeting.judge(track, 0);
  EXPECT_EQ(judged.voice, 0);
  EXPECT_GT(judged.confidence, 0.9F);
  EXPECT_EQ(judged.evidence, -1);
}

TEST(VoiceClusters, TakeTheNearestVoiceWhenThereIsNoRoomForANewOne) {
  VoiceClusters::Options options;
  options.voices_max = 1;
  Meeting meeting(2, options);
  VoiceClusters::Follower track;
  for (int i = 0; i < 3; ++i)
    meeting.hear(track, 0);
  EXPECT_EQ(meeting.hear(track, 1).voice, 0);
}

TEST(VoiceClusters, KeepVoicesOfLongAgoInBoundedMemory) {
  VoiceClusters::Options options;
  options.windows_kept = 60;
  Meeting meeting(5, options);
  VoiceClusters::Follower track;
  std::vector<std::int64_t> evidence;
  for (int turn = 0; turn < 200; ++turn) {
    for (int i = 0; i < 10; ++i)
      evidence.push_back(meeting.hear(track, turn % 5).evidence);
  }
  EXPECT_EQ(meeting.clusters().voice_count(), 5);
  for (std::size_t i = 0; i < evidence.size(); ++i)
    EXPECT_EQ(meeting.clusters().voice_of(evidence[i]), static_cast<int>(i / 10 % 5)) << i;
}

TEST(VoiceClusters, KnowAVoiceOfAnEarlierMeeting) {
  Meeting earlier(2);
  VoiceClusters::Follower track;
  for (int i = 0; i < 8; ++i)
    earlier.hear(track, 1);
  const std::vector<VoiceClusters::Profile> profiles = earlier.clusters().profiles();
  ASSERT_EQ(profiles.size(), 1U);
  EXPECT_FLOAT_EQ(profiles[0].weight, 8.0F);
  Meeting later(2);  // The same directions.
  ASSERT_TRUE(later.clusters().add_known(profiles[0].centroid, profiles[0].weight));
  EXPECT_FALSE(later.clusters().add_known(std::vector<float>(3), 1.0F));
  VoiceClusters::Follower again;
  EXPECT_EQ(later.hear(again, 1).voice, 0);
  for (int i = 0; i < 8; ++i)
    later.hear(again, 0);
  EXPECT_EQ(later.hear(again, 0).voice, 1);
}

}  // namespace
}  // namespace qylon::diarization

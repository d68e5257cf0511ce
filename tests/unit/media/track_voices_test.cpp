#include "media/track_voices.hpp"

#include <gtest/gtest.h>

#include "tests/support/synthetic_voices.hpp"

namespace qylon::media {
namespace {

using Kind = VoiceHint::Kind;

constexpr TrackId kAnn = 1;
constexpr TrackId kBen = 2;
constexpr std::int64_t kWindow = 8'000;

/// People whose windows of half a second come on tracks of theirs, or of others.
class TrackVoicesTest : public ::testing::Test {
 protected:
  TrackVoicesTest()
      : model_(*diarization::EmbeddingModel::load_default()),
        voices_(model_),
        synthetic_(model_->size(), 5),
        ann_(synthetic_.direction()),
        ben_(synthetic_.direction()) {}

  /// The person speaks for so many windows on the track; returns the number of the voice.
  int hear(TrackId track, const std::vector<float>& person, int windows) {
    diarization::VoiceClusters::Follower& follower = followers_[track];
    std::vector<VoiceWindow> said;
    for (int i = 0; i < windows; ++i) {
      const std::vector<float> heard = synthetic_.near(person, 0.9F);
      said.push_back({voices_.observe(follower, {.embedding = heard}).evidence, kWindow});
    }
    voices_.settle(follower);
    const int voice = voices_.voice_of(said.back().evidence);
    tracks_.note(track, std::move(said));
    return voice;
  }
  int say(TrackId track, const std::vector<float>& person, int windows) {
    const int voice = hear(track, person, windows);
    tracks_.look();
    return voice;
  }

  std::shared_ptr<const diarization::EmbeddingModel> model_;
  diarization::VoiceClusters voices_;
  diarization::SyntheticVoices synthetic_;
  const std::vector<float> ann_;
  const std::vector<float> ben_;
  std::map<TrackId, diarization::VoiceClusters::Follower> followers_;
  TrackVoices tracks_{voices_};
};

TEST_F(TrackVoicesTest, OnePersonOnATrackIsNobodysGuest) {
  const int voice = say(kAnn, ann_, 40);
  EXPECT_FALSE(tracks_.is_guest(kAnn, voice));
  EXPECT_TRUE(tracks_.hints().empty());
}

TEST_F(TrackVoicesTest, ASecondVoiceIsAGuestOnceItHasSpokenForEightSeconds) {
  const int ann = say(kAnn, ann_, 20);
  const int ben = say(kAnn, ben_, 15);
  EXPECT_FALSE(tracks_.is_shared(kAnn));
  ASSERT_EQ(say(kAnn, ben_, 1), ben);
  EXPECT_TRUE(tracks_.is_guest(kAnn, ben));
  EXPECT_FALSE(tracks_.is_guest(kAnn, ann));
  EXPECT_EQ(tracks_.guest_number(kAnn, ben), 1);
  ASSERT_EQ(tracks_.hints().size(), 1U);
  EXPECT_EQ(tracks_.hints()[0].kind, Kind::kShared);
  EXPECT_EQ(tracks_.hints()[0].tracks, std::vector<TrackId>{kAnn});
}

TEST_F(TrackVoicesTest, AnotherTracksPersonIsNoGuest) {
  say(kAnn, ann_, 20);
  const int ben = say(kBen, ben_, 20);
  say(kAnn, ben_, 20);
  EXPECT_FALSE(tracks_.is_guest(kAnn, ben));
}

TEST_F(TrackVoicesTest, WhoIsHeardMoreOnAnotherTrackIsNotThisOnesPerson) {
  hear(kAnn, ben_, 18);  // He is loud in Ann's room.
  hear(kBen, ben_, 20);
  tracks_.look();
  const int ann = say(kAnn, ann_, 20);
  EXPECT_FALSE(tracks_.is_guest(kAnn, ann));
  EXPECT_TRUE(tracks_.hints().empty());
}

TEST_F(TrackVoicesTest, TwoPeopleWhoExchangeTheirTracksAreHintedAt) {
  say(kAnn, ann_, 20);
  say(kBen, ben_, 20);
  say(kAnn, ben_, 40);
  EXPECT_TRUE(tracks_.hints().empty());  // Ben may be loud in Ann's room.
  say(kBen, ann_, 40);
  ASSERT_EQ(tracks_.hints().size(), 1U);
  EXPECT_EQ(tracks_.hints()[0].kind, Kind::kSwapped);
  EXPECT_EQ(tracks_.hints()[0].tracks, (std::vector<TrackId>{kAnn, kBen}));
}

TEST_F(TrackVoicesTest, TheHintEndsWhenTheyAreBack) {
  say(kAnn, ann_, 20);
  say(kBen, ben_, 20);
  say(kAnn, ben_, 40);
  say(kBen, ann_, 40);
  say(kAnn, ann_, 40);
  EXPECT_TRUE(tracks_.hints().empty());
}

TEST_F(TrackVoicesTest, ForgetsTheOldestCaptions) {
  const int ann = say(kAnn, ann_, 20);
  const int ben = say(kAnn, ben_, 20);
  ASSERT_TRUE(tracks_.is_guest(kAnn, ben));
  for (std::size_t i = 0; i < TrackVoices::kCaptionsMax; ++i)
    tracks_.note(kAnn, {});
  tracks_.look();
  EXPECT_FALSE(tracks_.is_guest(kAnn, ben));
  EXPECT_FALSE(tracks_.is_guest(kAnn, ann));
}

}  // namespace
}  // namespace qylon::media

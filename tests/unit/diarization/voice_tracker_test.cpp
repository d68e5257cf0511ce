#include "diarization/voice_tracker.hpp"

#include <gtest/gtest.h>

#include "tests/support/synthetic_voices.hpp"

namespace qylon::diarization {
namespace {

/// A track that is fed with sounds; positions in seconds on the meeting clock.
class Track {
 public:
  Track() : clusters_(*EmbeddingModel::load_default()), tracker_(clusters_) {}

  void play(const std::vector<float>& sound, bool speech = true) {
    for (std::size_t at = 0; at + kBlockSamples <= sound.size(); at += kBlockSamples) {
      const std::span<const float, kBlockSamples> block(sound.data() + at, kBlockSamples);
      if (const auto label = tracker_.push(position_, block, speech)) labels_.push_back(*label);
      position_ += kBlockSamples;
    }
  }
  void pause(double seconds) { play(std::vector<float>(samples(seconds)), false); }
  void skip(std::int64_t count) { position_ += count; }

  static std::size_t samples(double seconds) { return static_cast<std::size_t>(seconds * 16000); }

  std::vector<std::pair<double, double>> spans() const {
    std::vector<std::pair<double, double>> out;
    for (const VoiceLabel& label : labels_) {
      out.emplace_back(static_cast<double>(label.start_sample) / 16000,
                       static_cast<double>(label.end_sample) / 16000);
    }
    return out;
  }

  VoiceClusters& clusters() { return clusters_; }
  VoiceTracker& tracker() { return tracker_; }
  const std::vector<VoiceLabel>& labels() const { return labels_; }
  std::int64_t position() const { return position_; }

 private:
  VoiceClusters clusters_;
  VoiceTracker tracker_;
  std::vector<VoiceLabel> labels_;
  std::int64_t position_ = 0;
};

using Spans = std::vector<std::pair<double, double>>;

std::vector<float> low(double seconds) {
  return synthetic_voice(seconds, 95, 0.85);
}
std::vector<float> high(double seconds) {
  return synthetic_voice(seconds, 240, 1.25);
}

TEST(VoiceTracker, LabelsEveryHalfSecondOfSpeechWithoutHolesAndTheRestAtAPause) {
  Track track;
  track.play(low(2.8));
  track.pause(0.5);
  // Windows end at 1.5, 2.0 and 2.5 s; a label reaches a quarter second past its window's middle.
  EXPECT_EQ(track.spans(), (Spans{{0.0, 1.0}, {1.0, 1.5}, {1.5, 2.0}, {2.0, 2.8}}));
}

TEST(VoiceTracker, LabelsAShortUtteranceFromWhatThereIs) {
  Track track;
  track.pause(0.5);
  track.play(low(0.7));
  track.pause(0.5);
  EXPECT_EQ(track.spans(), (Spans{{0.5, 1.2}}));
}

TEST(VoiceTracker, BridgesAShortPause) {
  Track track;
  track.play(low(0.8));
  track.pause(0.2);
  track.play(low(0.6));
  track.pause(0.5);
  ASSERT_EQ(track.spans().size(), 2U);  // A window at 1.5 s, and the rest.
  EXPECT_DOUBLE_EQ(track.spans().back().second, 1.6);
}

TEST(VoiceTracker, SaysNothingOfSilenceAndClicks) {
  Track track;
  track.pause(3);
  track.play(low(0.1));
  track.pause(1);
  EXPECT_TRUE(track.labels().empty());
}

TEST(VoiceTracker, EndsAStretchAtAGapInTime) {
  Track track;
  track.play(low(2.0));
  track.skip(16000 * 3600 + 77);
  track.play(low(1.0));
  track.pause(0.5);
  const Spans spans = track.spans();
  ASSERT_EQ(spans.size(), 3U);
  EXPECT_NEAR(spans[1].second, 2.0, 0.03);  // Two frames were not complete.
  EXPECT_EQ(track.labels()[2].start_sample, 2 * 16000 + 16000LL * 3600 + 77);
}

TEST(VoiceTracker, TellsTwoVoicesApartAndKnowsThemAgain) {
  Track track;
  for (int turn = 0; turn < 3; ++turn) {
    track.play(low(4));
    track.pause(0.5);
    track.play(high(4));
    track.pause(0.5);
  }
  EXPECT_EQ(track.clusters().voice_count(), 2);
  const auto voice_at = [&](double start, double end) {
    return track.tracker()
        .label(static_cast<std::int64_t>(start * 16000), static_cast<std::int64_t>(end * 16000))
        .voice;
  };
  EXPECT_EQ(voice_at(0, 4), 0);
  EXPECT_EQ(voice_at(4.5, 8.5), 1);
  EXPECT_EQ(voice_at(9, 13), 0);
  EXPECT_EQ(voice_at(13.5, 17.5), 1);
}

TEST(VoiceTracker, FindsAChangeOfVoiceWithoutAPause) {
  Track track;
  for (int turn = 0; turn < 2; ++turn) {
    track.play(low(4));
    track.pause(0.5);
    track.play(high(4));
    track.pause(0.5);
  }
  const std::int64_t start = track.position();
  track.play(low(4));
  EXPECT_FALSE(track.tracker().change_point(start, track.position()));
  const std::int64_t change = track.position();
  track.play(high(4));
  track.pause(0.5);
  const auto found = track.tracker().change_point(start, track.position());
  ASSERT_TRUE(found);
  EXPECT_NEAR(static_cast<double>(*found - change) / 16000, 0.0, 0.5);
}

TEST(VoiceTracker, LabelsAnUtteranceThatItHasNoWindowOfYet) {
  Track track;
  track.play(low(4));
  track.pause(0.5);
  const std::int64_t start = track.position();
  track.play(low(0.6));
  const VoiceLabel label = track.tracker().label(start, track.position());
  EXPECT_EQ(label.voice, 0);
  EXPECT_GT(label.confidence, 0.5F);
}

TEST(VoiceTracker, WithholdsALabelWhereNothingWasHeard) {
  Track track;
  track.pause(1);
  EXPECT_EQ(track.tracker().label(0, 100).voice, -1);
  EXPECT_EQ(track.tracker().label(1 << 30, (1 << 30) + 16000).voice, -1);
  EXPECT_FALSE(track.tracker().change_point(0, 16000));
}

}  // namespace
}  // namespace qylon::diarization

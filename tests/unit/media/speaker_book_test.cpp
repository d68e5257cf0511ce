#include "media/speaker_book.hpp"

#include <gtest/gtest.h>

#include "tests/support/synthetic_voices.hpp"

namespace qylon::media {
namespace {

using Kind = SpeakerChange::Kind;

constexpr std::int64_t kSecondUs = 1'000'000;

/// Two voices that have been heard, and captions that may be another's than was published.
class SpeakerBookTest : public ::testing::Test {
 protected:
  SpeakerBookTest() : model_(*diarization::EmbeddingModel::load_default()) { open({}); }

  void open(StoredSpeakers stored) {
    voices_ = std::make_unique<diarization::VoiceClusters>(model_);
    book_ = std::make_unique<SpeakerBook>(*voices_, std::move(stored));
  }

  /// Both voices speak; evidence of theirs is in windows_of_[0] and [1].
  void hear_two_voices() {
    diarization::SyntheticVoices synthetic(model_->size(), 3);
    for (const std::size_t voice : {0U, 1U}) {
      const std::vector<float> direction = synthetic.direction();
      for (int i = 0; i < 6; ++i) {
        const std::vector<float> heard = synthetic.near(direction, 0.9F);
        const auto given = voices_->observe(follower_, {.embedding = heard});
        windows_of_[voice].push_back({given.evidence, 8000});
      }
      voices_->settle(follower_);
      diarization::VoiceLabel label;
      label.voice = voices_->voice_of(windows_of_[voice].back().evidence);
      label.confidence = 1;
      book_->note(book_->speaker_of(label));
    }
  }

  void publish(std::uint64_t offset,
               Speaker speaker,
               std::vector<VoiceWindow> windows,
               const std::string& person = {}) {
    Caption caption;
    caption.offset = offset;
    caption.speaker = std::move(speaker);
    book_->note_final(caption, std::move(windows), person);
  }

  std::shared_ptr<const diarization::EmbeddingModel> model_;
  std::unique_ptr<diarization::VoiceClusters> voices_;
  std::unique_ptr<SpeakerBook> book_;
  diarization::VoiceClusters::Follower follower_;
  std::vector<VoiceWindow> windows_of_[2];
};

Speaker voice(const std::string& key) {
  return {key, "Speaker " + key.substr(1), Provenance::kCluster, 0.9F};
}

TEST_F(SpeakerBookTest, WithholdsALabelThatIsNotSure) {
  diarization::VoiceLabel label;
  label.voice = 0;
  label.confidence = SpeakerBook::kConfidenceMin - 0.01F;
  EXPECT_TRUE(book_->speaker_of(label).key.empty());
  label.confidence = SpeakerBook::kConfidenceMin;
  EXPECT_EQ(book_->speaker_of(label).key, "s1");
  EXPECT_EQ(book_->speaker_of(label).name, "Speaker 1");
}

TEST_F(SpeakerBookTest, GivesACaptionToItsVoiceWhenThatHoldsForAWhile) {
  hear_two_voices();
  publish(1, voice("s1"), windows_of_[0]);
  publish(2, voice("s1"), windows_of_[1]);
  EXPECT_TRUE(book_->corrections(10 * kSecondUs).empty());
  EXPECT_TRUE(book_->corrections(12 * kSecondUs).empty());
  const auto changes = book_->corrections(13 * kSecondUs);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].kind, Kind::kRelabel);
  EXPECT_EQ(changes[0].speaker.key, "s2");
  EXPECT_FLOAT_EQ(changes[0].speaker.confidence, 1);
  EXPECT_EQ(changes[0].captions, std::vector<std::uint64_t>{2});
  EXPECT_TRUE(book_->corrections(60 * kSecondUs).empty());
}

TEST_F(SpeakerBookTest, NamesAVoiceThatWasWithheld) {
  hear_two_voices();
  publish(1, {}, windows_of_[1]);
  const auto changes = book_->last_corrections();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].speaker.key, "s2");
}

TEST_F(SpeakerBookTest, MergesAVoiceThatIsNoMore) {
  open({.known = {voice("s1"), voice("s2"), voice("s7")}, .merged = {}, .voices = {}});
  hear_two_voices();  // They get the next numbers: s8 and s9.
  publish(1, voice("s7"), windows_of_[0]);
  const auto changes = book_->last_corrections();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].kind, Kind::kMerge);
  EXPECT_EQ(changes[0].from, "s7");
  EXPECT_EQ(changes[0].speaker.key, "s8");
  EXPECT_TRUE(book_->last_corrections().empty());
}

TEST_F(SpeakerBookTest, KeepsTheNameThatAPersonGaveThroughAMerge) {
  Speaker ann{"s7", "Ann", Provenance::kManual, 1};
  open({.known = {ann}, .merged = {}, .voices = {}});
  hear_two_voices();
  publish(1, ann, windows_of_[0]);
  const auto changes = book_->last_corrections();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].from, "s8");
  EXPECT_EQ(changes[0].speaker.name, "Ann");
  diarization::VoiceLabel label;
  label.voice = voices_->voice_of(windows_of_[0].back().evidence);
  label.confidence = 1;
  EXPECT_EQ(book_->speaker_of(label).name, "Ann");
}

TEST_F(SpeakerBookTest, CorrectsNothingThatAPersonCorrected) {
  hear_two_voices();
  publish(1, voice("s2"), windows_of_[1]);
  ASSERT_TRUE(book_->apply({Kind::kRelabel, {"s1", "", Provenance::kManual, 1}, "", {1}}));
  EXPECT_TRUE(book_->last_corrections().empty());
}

TEST_F(SpeakerBookTest, SaysAtMostSoManyCorrectionsAMinute) {
  hear_two_voices();
  for (std::uint64_t i = 1; i <= 20; ++i)
    publish(i, {"t" + std::to_string(i), "x", Provenance::kCluster, 1}, {windows_of_[0][0]});
  static_cast<void>(book_->corrections(1));
  EXPECT_EQ(book_->corrections(5 * kSecondUs).size(), 15U);
  EXPECT_EQ(book_->corrections(30 * kSecondUs).size(), 0U);
  EXPECT_EQ(book_->corrections(66 * kSecondUs).size(), 5U);
}

TEST_F(SpeakerBookTest, KeepsTheKeysOfStoredVoices) {
  hear_two_voices();
  const auto stored = book_->voices();
  ASSERT_EQ(stored.size(), 2U);
  open({.known = {voice("s1"), voice("s2")}, .merged = {}, .voices = stored});
  const auto given = voices_->observe(follower_, {.embedding = stored[1].centroid});
  diarization::VoiceLabel label;
  label.voice = given.voice;
  label.confidence = given.confidence;
  EXPECT_EQ(book_->speaker_of(label).key, "s2");
}

TEST_F(SpeakerBookTest, RenamesMergesAndSplitsAsAPersonSays) {
  hear_two_voices();
  publish(1, voice("s1"), {});
  const auto renamed = book_->apply({Kind::kRename, {"s1", "Ann", Provenance::kManual, 1}, "", {}});
  ASSERT_TRUE(renamed);
  EXPECT_EQ(book_->shown_as(voice("s1")).name, "Ann");
  const auto split = book_->apply({Kind::kSplit, {"", "Ben", Provenance::kManual, 1}, "", {1}});
  ASSERT_TRUE(split);
  EXPECT_EQ(split->speaker.key, "s3");
  const auto merged = book_->apply({Kind::kMerge, {"s1", "", Provenance::kManual, 1}, "s2", {}});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->speaker.name, "Ann");
  EXPECT_EQ(book_->shown_as(voice("s2")).key, "s1");
  EXPECT_EQ(book_->speakers().size(), 2U);
}

TEST_F(SpeakerBookTest, RefusesWhatIsNotThere) {
  hear_two_voices();
  EXPECT_FALSE(book_->apply({Kind::kRename, {"s9", "Ann", Provenance::kManual, 1}, "", {}}));
  EXPECT_FALSE(book_->apply({Kind::kMerge, {"s1", "", Provenance::kManual, 1}, "s9", {}}));
  const auto itself = book_->apply({Kind::kMerge, {"s1", "", Provenance::kManual, 1}, "s1", {}});
  ASSERT_FALSE(itself);
  EXPECT_EQ(itself.error().code, ErrorCode::kConflict);
}

/// A book in which Ann is enrolled with the voice that hear_two_voices() hears first.
StoredSpeakers with_ann(int size) {
  StoredSpeakers stored;
  stored.enrolled.push_back({"Ann", diarization::SyntheticVoices(size, 3).direction(), 40});
  return stored;
}

TEST_F(SpeakerBookTest, AnEnrolledVoiceGetsItsName) {
  open(with_ann(model_->size()));
  hear_two_voices();
  const auto changes = book_->corrections(kSecondUs);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].kind, Kind::kRename);
  EXPECT_EQ(changes[0].speaker.key, "s1");
  EXPECT_EQ(changes[0].speaker.name, "Ann");
  EXPECT_EQ(changes[0].speaker.provenance, Provenance::kEnrolled);
  EXPECT_GT(changes[0].speaker.confidence, 0.9F);
  EXPECT_TRUE(book_->corrections(2 * kSecondUs).empty());
}

TEST_F(SpeakerBookTest, AnEnrolledNameDoesNotReplaceAPersons) {
  open(with_ann(model_->size()));
  hear_two_voices();
  ASSERT_TRUE(book_->apply({Kind::kRename, {"s1", "Anna", Provenance::kManual, 1}, "", {}}));
  EXPECT_TRUE(book_->corrections(kSecondUs).empty());
}

diarization::VoiceLabel sure_of(int voice) {
  diarization::VoiceLabel label;
  label.voice = voice;
  label.confidence = 1;
  return label;
}

TEST_F(SpeakerBookTest, ASecondPersonOnATrackIsCalledByTheTracksPerson) {
  diarization::SyntheticVoices synthetic(model_->size(), 3);
  const Speaker ann{"t1", "Ann", Provenance::kTrack, 1};
  std::vector<int> numbers;
  for (const std::uint64_t offset : {1U, 2U}) {
    const std::vector<float> direction = synthetic.direction();
    std::vector<VoiceWindow> windows;
    for (int i = 0; i < 20; ++i) {
      const std::vector<float> heard = synthetic.near(direction, 0.9F);
      windows.push_back({voices_->observe(follower_, {.embedding = heard}).evidence, 8000});
    }
    voices_->settle(follower_);
    numbers.push_back(voices_->voice_of(windows.back().evidence));
    publish(offset, ann, std::move(windows), "t1");
  }
  const auto changes = book_->last_corrections();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].kind, Kind::kSplit);
  EXPECT_EQ(changes[0].speaker.key, "s1");
  EXPECT_EQ(changes[0].speaker.name, "Ann / voice 2");
  EXPECT_EQ(changes[0].speaker.provenance, Provenance::kCluster);
  EXPECT_EQ(changes[0].captions, std::vector<std::uint64_t>{2});
  EXPECT_EQ(book_->speaker_on(0, ann, sure_of(numbers[0])).key, "t1");
  EXPECT_EQ(book_->speaker_on(0, ann, sure_of(numbers[1])).key, "s1");
}

}  // namespace
}  // namespace qylon::media

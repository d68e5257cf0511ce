#include "core/speaker_undo.hpp"

#include <gtest/gtest.h>

namespace qylon {
namespace {

using Kind = SpeakerChange::Kind;

Speaker speaker(const std::string& key, const std::string& name = "x") {
  return {key, name, Provenance::kManual, 1.0F};
}

/// A meeting's sequence; offsets count up.
class Sequence {
 public:
  Sequence& said(const std::string& key) {
    Caption caption;
    caption.speaker = speaker(key);
    return add(std::move(caption));
  }
  Sequence& changed(SpeakerChange change) {
    Caption caption;
    caption.change = std::make_shared<const SpeakerChange>(std::move(change));
    return add(std::move(caption));
  }
  const std::vector<Caption>& finals() const { return finals_; }

  /// The speakers' keys after everything, and then `more`.
  std::vector<std::string> keys(const std::vector<SpeakerChange>& more = {}) const {
    std::vector<Caption> captions;
    for (const Caption& caption : finals_) {
      if (caption.change) {
        apply_change(*caption.change, captions);
      } else {
        captions.push_back(caption);
      }
    }
    for (const SpeakerChange& change : more)
      apply_change(change, captions);
    std::vector<std::string> out;
    for (const Caption& caption : captions)
      out.push_back(caption.speaker.key);
    return out;
  }

 private:
  Sequence& add(Caption caption) {
    caption.offset = finals_.size() + 1;
    finals_.push_back(std::move(caption));
    return *this;
  }
  std::vector<Caption> finals_;
};

using Keys = std::vector<std::string>;

TEST(SpeakerChange, AppliesToWhatItNames) {
  Sequence sequence;
  sequence.said("s1").said("s2").said("s3");
  sequence.changed({Kind::kRelabel, speaker("s9"), "", {1}});
  sequence.changed({Kind::kMerge, speaker("s2"), "s3", {}});
  EXPECT_EQ(sequence.keys(), (Keys{"s9", "s2", "s2"}));
}

TEST(SpeakerUndo, TakesAMergeBack) {
  Sequence sequence;
  sequence.said("s1").said("s2").said("s3");
  sequence.changed({Kind::kMerge, speaker("s1"), "s3", {}}).said("s1");
  const auto back = undo_of(sequence.finals(), 4, {});
  ASSERT_TRUE(back);
  EXPECT_EQ(sequence.keys(*back), (Keys{"s1", "s2", "s3", "s1"}));
}

TEST(SpeakerUndo, BringsASpeakerBackOfWhomNothingWasSaid) {
  Sequence sequence;
  sequence.said("s1").changed({Kind::kMerge, speaker("s1"), "s3", {}});
  const auto back = undo_of(sequence.finals(), 2, {});
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 1U);
  EXPECT_EQ(back->front().speaker.key, "s3");
  EXPECT_TRUE(back->front().captions.empty());
}

TEST(SpeakerUndo, LeavesWhatWasCorrectedSince) {
  Sequence sequence;
  sequence.said("s1").said("s2");
  sequence.changed({Kind::kRelabel, speaker("s5"), "", {1, 2}});
  sequence.changed({Kind::kRelabel, speaker("s6"), "", {2}});
  const auto back = undo_of(sequence.finals(), 3, {});
  ASSERT_TRUE(back);
  EXPECT_EQ(sequence.keys(*back), (Keys{"s1", "s6"}));
}

TEST(SpeakerUndo, GivesTheEarlierNameBack) {
  Sequence sequence;
  sequence.said("s1").changed({Kind::kRename, speaker("s1", "Ann"), "", {}});
  sequence.changed({Kind::kRename, speaker("s1", "Anna"), "", {}});
  sequence.changed({Kind::kRename, speaker("t2", "Zoe"), "", {}});
  EXPECT_EQ(undo_of(sequence.finals(), 3, {})->front().speaker.name, "Ann");
  EXPECT_EQ(undo_of(sequence.finals(), 2, {})->front().speaker.name, "Speaker 1");
  const std::vector<Speaker> given{{"t2", "Zora", Provenance::kTrack, 1}};
  EXPECT_EQ(undo_of(sequence.finals(), 4, given)->front().speaker.name, "Zora");
}

TEST(SpeakerUndo, SplitsLongListsAndNamesWhatIsNotThere) {
  Sequence sequence;
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 1; i <= SpeakerChange::kCaptionsMax + 1; ++i) {
    sequence.said("s1");
    all.push_back(i);
  }
  sequence.changed({Kind::kMerge, speaker("s2"), "s1", {}});
  const auto back = undo_of(sequence.finals(), all.size() + 1, {});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->size(), 2U);
  EXPECT_EQ(sequence.keys(*back), Keys(all.size(), "s1"));
  EXPECT_FALSE(undo_of(sequence.finals(), 1, {}));
}

}  // namespace
}  // namespace qylon

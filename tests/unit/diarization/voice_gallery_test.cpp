#include "diarization/voice_gallery.hpp"

#include <gtest/gtest.h>

#include "tests/support/synthetic_voices.hpp"

namespace qylon::diarization {
namespace {

class VoiceGalleryTest : public ::testing::Test {
 protected:
  VoiceGalleryTest() {
    auto model = EmbeddingModel::load_default();
    EXPECT_TRUE(model);
    model_ = *std::move(model);
    for (const char* name : {"Ann", "Ben", "Cleo"})
      people_.push_back({name, voices().direction(), 40});
  }
  SyntheticVoices& voices() {
    static SyntheticVoices voices(model_->size(), 7);
    return voices;
  }
  VoiceGallery gallery() const { return {*model_, people_}; }

  std::shared_ptr<const EmbeddingModel> model_;
  std::vector<VoiceGallery::Person> people_;
};

TEST_F(VoiceGalleryTest, APersonIsRecognisedInAnotherRoom) {
  const auto found = gallery().recognise(voices().near(people_[1].centroid, 0.75F), 60);
  ASSERT_TRUE(found);
  EXPECT_EQ(gallery().people()[found->person].name, "Ben");
  EXPECT_GT(found->probability, VoiceGallery::kProbabilityMin);
}

TEST_F(VoiceGalleryTest, AStrangerIsNobody) {
  const auto found = gallery().recognise(voices().direction(), 60);
  ASSERT_TRUE(found);
  EXPECT_LT(found->probability, 0.01F);
}

TEST_F(VoiceGalleryTest, ALikenessThatStrangersHaveIsWithheld) {
  // Of pairs of different training speakers one in a hundred has a cosine of 0.43.
  const auto found = gallery().recognise(voices().near(people_[1].centroid, 0.42F), 600);
  ASSERT_TRUE(found);
  EXPECT_LT(found->probability, VoiceGallery::kProbabilityMin);
}

TEST_F(VoiceGalleryTest, OfManyPeopleMoreLikenessIsAsked) {
  const std::vector<float> probe = voices().near(people_[0].centroid, 0.62F);
  const auto of_few = gallery().recognise(probe, 60);
  for (int i = 0; i < 500; ++i)
    people_.push_back({"", voices().direction(), 40});
  const auto of_many = gallery().recognise(probe, 60);
  ASSERT_TRUE(of_few && of_many);
  EXPECT_GT(of_few->probability, of_many->probability + 0.3F);
}

TEST_F(VoiceGalleryTest, TooLittleSpeechTellsNothing) {
  EXPECT_FALSE(gallery().recognise(people_[0].centroid, 3));
}

TEST_F(VoiceGalleryTest, AVoiceOfOtherWeightsIsLeftOut) {
  people_.push_back({"Old", std::vector<float>(7, 0.1F), 40});
  EXPECT_EQ(gallery().people().size(), 3U);
  EXPECT_FALSE(VoiceGallery(*model_, {}).recognise(people_[0].centroid, 60));
}

}  // namespace
}  // namespace qylon::diarization

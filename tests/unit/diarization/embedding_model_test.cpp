#include "diarization/embedding_model.hpp"

#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "models/embedded_weights.hpp"
#include "models/safetensors.hpp"

namespace qylon::diarization {
namespace {

std::shared_ptr<const EmbeddingModel> default_model() {
  const auto model = EmbeddingModel::load_default();
  QYLON_CHECK(model);
  return *model;
}

float cosine(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
}

// Inputs and outputs were written by models/train/pack_speaker.py with PyTorch's layers.
TEST(EmbeddingModel, AgreesWithTheTrainingFramework) {
  const auto golden =
      models::WeightFile::read(std::string(QYLON_TEST_DATA) + "/speaker_golden.safetensors");
  ASSERT_TRUE(golden) << golden.error().message;
  const auto model = default_model();
  Embedder embedder(model);
  // The longest first: a shorter input must not see what it left behind.
  for (const std::int64_t frames : {150, 61, 20}) {
    const std::string suffix = std::to_string(frames);
    const auto mel =
        golden->tensor("mel." + suffix, std::array<std::int64_t, 2>{frames, kMelBands});
    const auto expected =
        golden->tensor("embedding." + suffix, std::array<std::int64_t, 1>{model->size()});
    ASSERT_TRUE(mel && expected);
    std::vector<float> embedding(static_cast<std::size_t>(model->size()));
    embedder.embed(*mel, embedding);
    for (std::size_t i = 0; i < embedding.size(); ++i) {
      EXPECT_NEAR(embedding[i], (*expected)[i], 1e-4F) << frames << " frames, value " << i;
    }
  }
}

TEST(EmbeddingModel, DoesNotHearHowLoudAVoiceIs) {
  Embedder embedder(default_model());
  std::vector<float> quiet(100 * kMelBands);
  for (std::size_t i = 0; i < quiet.size(); ++i) {
    quiet[i] = -50.0F + 15.0F * std::sin(0.37F * static_cast<float>(i));
  }
  std::vector<float> loud = quiet;
  for (float& value : loud)
    value += 24.0F;
  std::vector<float> a(static_cast<std::size_t>(default_model()->size()));
  std::vector<float> b = a;
  embedder.embed(quiet, a);
  embedder.embed(loud, b);
  EXPECT_NEAR(cosine(a, b), 1.0F, 1e-4F);
}

TEST(EmbeddingModel, GivesUnitVectorsForSilenceToo) {
  Embedder embedder(default_model());
  std::vector<float> embedding(static_cast<std::size_t>(default_model()->size()));
  embedder.embed(std::vector<float>(kFramesMin * kMelBands, -100.0F), embedding);
  EXPECT_NEAR(cosine(embedding, embedding), 1.0F, 1e-4F);
}

TEST(EmbeddingModel, UsesTheEndOfALongInput) {
  Embedder embedder(default_model());
  std::vector<float> mel(static_cast<std::size_t>(Embedder::kWindowFramesMax + 50) * kMelBands);
  for (std::size_t i = 0; i < mel.size(); ++i) {
    mel[i] = -40.0F + 9.0F * std::sin(0.011F * static_cast<float>(i * i % 7919));
  }
  std::vector<float> whole(static_cast<std::size_t>(default_model()->size()));
  std::vector<float> end = whole;
  embedder.embed(mel, whole);
  embedder.embed(std::span<const float>(mel).subspan(50 * kMelBands), end);
  EXPECT_EQ(whole, end);
}

/// The default weights with the first byte of a text in their header changed.
std::vector<std::byte> weights_without(std::string_view text) {
  const auto weights = models::embedded_speaker_weights();
  std::vector<std::byte> changed(weights.begin(), weights.end());
  const auto at = std::search(
      changed.begin(), changed.end(), text.begin(), text.end(), [](std::byte a, char b) {
        return static_cast<char>(a) == b;
      });
  QYLON_CHECK(at != changed.end());
  *at = std::byte{'x'};
  return changed;
}

TEST(EmbeddingModel, RefusesAFileOfAnotherFrontEnd) {
  const auto model = EmbeddingModel::parse(weights_without("mel40-db\""));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kInvalidArgument);
}

TEST(EmbeddingModel, RefusesAFileWithoutACohort) {
  const auto model = EmbeddingModel::parse(weights_without("cohort\""));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(model.error().message.find("cohort"), std::string::npos);
}

TEST(EmbeddingModel, SaysThatAFileIsMissing) {
  const auto model = EmbeddingModel::load("/nonexistent/weights.safetensors");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace qylon::diarization

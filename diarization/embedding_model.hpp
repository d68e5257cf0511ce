#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "diarization/voice_likelihood.hpp"

namespace qylon::models {
class WeightFile;
}

namespace qylon::diarization {

/// Mel bands of one front-end frame.
inline constexpr int kMelBands = 40;
/// Fewest frames that make an embedding: 0.2 s. Below that there is no voice to speak of.
inline constexpr int kFramesMin = 20;

/// Turns a stretch of speech into a point that is close to other points of the same voice.
///
/// Owns    : weights shared by all meetings, immutable; thresholds that were fitted with them,
///           because a threshold does not survive a change of weights.
/// Threads : any; scratch memory is in Embedder.
/// Errors  : load() kNotFound for a missing file; kInvalidArgument when the file is no safetensors
///           file, misses a tensor, or was made for another front end.
class EmbeddingModel {
 public:
  /// How windows of one voice scatter with these weights.
  using Calibration = VoiceLikelihood::Options;

  /// The weights that are compiled into the binary.
  static Result<std::shared_ptr<const EmbeddingModel>> load_default();
  static Result<std::shared_ptr<const EmbeddingModel>> load(const std::string& path);
  static Result<std::shared_ptr<const EmbeddingModel>> parse(std::span<const std::byte> file);

  ~EmbeddingModel();
  EmbeddingModel(const EmbeddingModel&) = delete;
  EmbeddingModel& operator=(const EmbeddingModel&) = delete;

  int size() const noexcept;               ///< Floats per embedding.
  std::string_view name() const noexcept;  ///< E.g. "stats-lda-v1", for logs and model cards.
  const Calibration& calibration() const noexcept;
  /// float32[n, size], n >= 1: unit vectors of people that nobody here is, to measure likeness by.
  std::span<const float> cohort() const noexcept;

 private:
  friend class Embedder;
  struct State;  // Hides Eigen.
  static Result<std::shared_ptr<const EmbeddingModel>> from(const models::WeightFile& file);
  explicit EmbeddingModel(std::unique_ptr<const State> state);
  std::unique_ptr<const State> state_;
};

/// Scratch memory to run an EmbeddingModel; no allocation after construction.
///
/// Threads : one at a time.
class Embedder {
 public:
  static constexpr int kWindowFramesMax = 200;  ///< 2 s.

  /// Of an input longer than `frames_max` the end is used.
  explicit Embedder(std::shared_ptr<const EmbeddingModel> model, int frames_max = kWindowFramesMax);
  ~Embedder();
  Embedder(const Embedder&) = delete;
  Embedder& operator=(const Embedder&) = delete;

  /// Input  : float32[frames, kMelBands] mel power in dB, row-major, frames >= kFramesMin.
  /// Output : float32[model size], L2 norm 1.
  void embed(std::span<const float> mel_db, std::span<float> embedding) noexcept;

 private:
  struct Scratch;
  std::shared_ptr<const EmbeddingModel> model_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace qylon::diarization

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace qylon::diarization {

/// The evidence of a meeting in bounded memory: each window of speech is a point; when there are
/// too many, the most similar points of the same voice become one.
///
/// Input   : float32[size] unit vectors.
/// Memory  : capacity * (size + 4) * 4 bytes and 16 KB; the voice of the last kEvidenceKept windows
///           can be asked for.
/// Threads : one at a time.
class VoicePoints {
 public:
  static constexpr std::int64_t kEvidenceKept = 4096;  ///< Half an hour of speech.

  VoicePoints(int size, int capacity);
  ~VoicePoints();
  VoicePoints(const VoicePoints&) = delete;
  VoicePoints& operator=(const VoicePoints&) = delete;

  /// Adds a window and returns its number, which counts up from 0. `voice` -1: not known yet.
  std::int64_t add(std::span<const float> vector, float weight, int voice);

  /// Voice of the point that the window is part of now; -1 unknown or too long ago.
  int voice_of(std::int64_t evidence) const noexcept;
  void set_voice(std::int64_t evidence, int voice) noexcept;

  int count() const noexcept;
  std::span<const float> weights() const noexcept;  ///< float32[count]
  std::span<int> voices() noexcept;                 ///< int[count]
  /// float32[count, size] row-major, each of L2 norm 1; valid until the next call.
  std::span<const float> unit_vectors();
  /// Adds weight * vector of every point of a voice to `sum`; returns the voice's weight.
  float sum_of(int voice, std::span<float> sum) const noexcept;

 private:
  void condense();
  void close_gaps(std::span<const int> joined_to);

  struct State;  // Hides Eigen.
  std::unique_ptr<State> state_;
};

}  // namespace qylon::diarization

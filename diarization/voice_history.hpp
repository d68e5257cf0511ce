#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qylon::diarization {

/// A window of speech as evidence of a voice.
struct HeardWindow {
  int track = 0;    ///< Windows of one track follow one another.
  float count = 1;  ///< Of a full window; a shorter one counts less.
  float gap_s = 0;  ///< Pause since the track's window before it.
};

/// The last windows of a meeting with their vectors, and the voices of many more.
///
/// Input   : float32[size] unit vectors.
/// Memory  : windows_kept * (size + 4) * 4 bytes and 16 KB.
/// Threads : one at a time.
class VoiceHistory {
 public:
  static constexpr std::int64_t kEvidenceKept = 4096;  ///< Half an hour of speech.

  VoiceHistory(int size, int windows_kept);

  /// Adds a window and returns its number, which counts up from 0; its voice is unknown. When
  /// full(), the oldest window is forgotten but for its voice.
  std::int64_t add(std::span<const float> vector, const HeardWindow& window);
  bool full() const noexcept { return next_ - first() == kept_; }

  std::int64_t first() const noexcept { return next_ > kept_ ? next_ - kept_ : 0; }
  std::int64_t next() const noexcept { return next_; }
  /// REQUIRES: first() <= evidence < next().
  const HeardWindow& window(std::int64_t evidence) const noexcept;
  std::span<const float> vector(std::int64_t evidence) const noexcept;

  /// -1 unknown, never given, or too long ago.
  int voice_of(std::int64_t evidence) const noexcept;
  void set_voice(std::int64_t evidence, int voice) noexcept;
  /// Windows that are forgotten but for their voice from[i] are of voice to[i] now.
  void rename_forgotten(std::span<const int> from, std::span<const int> to) noexcept;

 private:
  bool knows(std::int64_t evidence) const noexcept;
  std::size_t slot(std::int64_t evidence) const noexcept {
    return static_cast<std::size_t>(evidence % kept_);
  }

  std::size_t size_;
  std::int64_t kept_;
  std::int64_t next_ = 0;
  std::vector<float> vectors_;
  std::vector<HeardWindow> windows_;
  std::vector<int> voices_;  // [evidence % kEvidenceKept]
};

}  // namespace qylon::diarization

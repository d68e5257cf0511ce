#include "diarization/voice_history.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace qylon::diarization {

VoiceHistory::VoiceHistory(int size, int windows_kept)
    : size_(static_cast<std::size_t>(size)),
      kept_(windows_kept),
      vectors_(static_cast<std::size_t>(size) * static_cast<std::size_t>(windows_kept)),
      windows_(static_cast<std::size_t>(windows_kept)),
      voices_(kEvidenceKept, -1) {
  QYLON_CHECK(size > 0 && windows_kept > 0 && windows_kept < kEvidenceKept);
}

std::int64_t VoiceHistory::add(std::span<const float> vector, const HeardWindow& window) {
  QYLON_CHECK(vector.size() == size_);
  const std::int64_t evidence = next_++;
  std::copy(vector.begin(),
            vector.end(),
            vectors_.begin() + static_cast<std::ptrdiff_t>(slot(evidence) * size_));
  windows_[slot(evidence)] = window;
  voices_[static_cast<std::size_t>(evidence % kEvidenceKept)] = -1;
  return evidence;
}

const HeardWindow& VoiceHistory::window(std::int64_t evidence) const noexcept {
  return windows_[slot(evidence)];
}

std::span<const float> VoiceHistory::vector(std::int64_t evidence) const noexcept {
  return std::span(vectors_).subspan(slot(evidence) * size_, size_);
}

bool VoiceHistory::knows(std::int64_t evidence) const noexcept {
  return evidence >= 0 && evidence < next_ && evidence >= next_ - kEvidenceKept;
}

int VoiceHistory::voice_of(std::int64_t evidence) const noexcept {
  if (!knows(evidence)) return -1;
  return voices_[static_cast<std::size_t>(evidence % kEvidenceKept)];
}

void VoiceHistory::set_voice(std::int64_t evidence, int voice) noexcept {
  if (knows(evidence)) voices_[static_cast<std::size_t>(evidence % kEvidenceKept)] = voice;
}

void VoiceHistory::rename_forgotten(std::span<const int> from, std::span<const int> to) noexcept {
  for (std::int64_t e = std::max<std::int64_t>(0, next_ - kEvidenceKept); e < first(); ++e) {
    const auto found = std::find(from.begin(), from.end(), voice_of(e));
    if (found != from.end()) set_voice(e, to[static_cast<std::size_t>(found - from.begin())]);
  }
}

}  // namespace qylon::diarization

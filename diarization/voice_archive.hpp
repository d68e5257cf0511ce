#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace qylon::diarization {

/// Every window of speech of a meeting, for the one pass over the whole of it at its end.
///
/// Input   : float32[size] unit vectors, numbered 0, 1, 2 ... as they are added.
/// Memory  : at most kSlotsMax * (size + 8) bytes (2 MB), taken as it grows: components in 8 bits,
///           which moves a cosine by less than 0.01. When it is full, neighbours become one slot
///           and each slot holds twice as many windows from then on: nothing is dropped, only the
///           resolution halves (8,192 windows are 68 minutes of speech without a pause).
/// Threads : one at a time.
class VoiceArchive {
 public:
  static constexpr std::size_t kSlotsMax = 8192;

  explicit VoiceArchive(int size);

  void add(std::span<const float> unit_vector, float weight);
  std::int64_t count() const noexcept { return count_; }

  /// Groups all windows. `voices` int[count]: whose each window was until now, -1 nobody's. Three
  /// spectral clusterings, of windows taken together over longer and longer time, may change the
  /// number of voices when they agree on another one; then every window goes to the voice that it
  /// is nearest to, until that is stable.
  /// Output : int[count] groups 0..groups - 1, every group used; empty without windows.
  /// Cost   : under 1 s for two hours.
  std::vector<int> group(std::span<const int> voices) const;

 private:
  struct Slot {
    float weight = 0;
    float scale = 0;  // Of the components.
  };
  void store(std::size_t slot, std::span<const float> vector, float weight);
  void add_to(std::size_t slot, std::span<float> sum) const;
  void halve();
  std::vector<int> spectral(std::span<const int> voice_of_slot, std::size_t run_slots) const;
  std::optional<std::vector<int>> agreed_groups(std::span<const int> voice_of_slot) const;
  std::vector<float> centroids(std::span<const int> group_of, int groups) const;
  bool reassign(std::span<const float> centroids, std::vector<int>& group_of) const;

  const std::size_t size_;
  std::vector<std::int8_t> components_;  // [slots, size]
  std::vector<Slot> slots_;
  int shift_ = 0;  // A window's slot is its number >> shift_.
  std::int64_t count_ = 0;
};

}  // namespace qylon::diarization

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.hpp"

namespace qylon::loadgen {

/// Something that a voice detector takes for a person who talks and pauses, as Opus packets that
/// are the same for the same seed: harmonics of a pitch under a formant-like slope, four syllables
/// a second, in phrases of 1.2 to 2.6 s with pauses of 0.8 to 1.2 s.
///
/// Cost    : create() synthesises and encodes 20 s once, about 0.3 s of CPU; packet() is free.
/// Threads : immutable after create().
class SpeechLoop {
 public:
  static constexpr std::int64_t kPacketUs = 20'000;

  /// Errors: kInternal when the encoder cannot be made.
  static Result<SpeechLoop> create(std::uint64_t seed);

  /// Packet `index` of an endless stream, 20 ms of 48 kHz mono.
  std::span<const std::uint8_t> packet(std::uint64_t index) const noexcept {
    return packets_[static_cast<std::size_t>(index % packets_.size())];
  }
  std::size_t size() const noexcept { return packets_.size(); }

 private:
  std::vector<std::vector<std::uint8_t>> packets_;
};

}  // namespace qylon::loadgen

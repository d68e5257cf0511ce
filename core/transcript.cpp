#include "core/transcript.hpp"

#include <array>

namespace qylon {

std::string_view meeting_state_name(MeetingState state) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"created", "live", "ending", "ended"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string_view speaker_change_name(SpeakerChange::Kind kind) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"relabel", "split", "merge", "rename"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace qylon

#include "core/transcript.hpp"

#include <array>

namespace qylon {

std::string_view meeting_state_name(MeetingState state) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"created", "live", "ending", "ended"};
  return kNames[static_cast<std::size_t>(state)];
}

}  // namespace qylon

#include "core/transcript.hpp"

#include <algorithm>
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

std::string_view voice_hint_name(VoiceHint::Kind kind) noexcept {
  return kind == VoiceHint::Kind::kShared ? "shared" : "swapped";
}

void apply_change(const SpeakerChange& change, std::vector<Caption>& captions) {
  using Kind = SpeakerChange::Kind;
  for (Caption& caption : captions) {
    Speaker& speaker = caption.speaker;
    switch (change.kind) {
      case Kind::kRelabel:
      case Kind::kSplit:
        if (caption.offset && std::ranges::count(change.captions, *caption.offset) > 0) {
          speaker = change.speaker;
        }
        break;
      case Kind::kMerge:
        if (speaker.key != change.from) break;
        speaker.key = change.speaker.key;
        speaker.name = change.speaker.name;
        speaker.provenance = change.speaker.provenance;
        break;
      case Kind::kRename:
        if (speaker.key == change.speaker.key) speaker.name = change.speaker.name;
        break;
    }
  }
}

}  // namespace qylon

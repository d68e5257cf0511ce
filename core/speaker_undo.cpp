#include "core/speaker_undo.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace qylon {
namespace {

using Kind = SpeakerChange::Kind;

/// Speakers of the captions before the correction, after it, and now.
struct States {
  std::vector<Caption> before;
  std::vector<Caption> after;
  std::vector<Caption> now;
  std::shared_ptr<const SpeakerChange> change;
};

States states_around(std::span<const Caption> published, std::uint64_t offset) {
  States states;
  for (const Caption& caption : published) {
    if (!caption.change) {
      Caption light;
      light.offset = caption.offset;
      light.speaker = caption.speaker;
      states.now.push_back(std::move(light));
      continue;
    }
    if (*caption.offset == offset) states.before = states.now;
    apply_change(*caption.change, states.now);
    if (*caption.offset != offset) continue;
    states.after = states.now;
    states.change = caption.change;
  }
  return states;
}

/// The name that a speaker had before `offset`: the newest that was given until then.
SpeakerChange earlier_name(std::span<const Caption> published,
                           std::uint64_t offset,
                           const std::string& key,
                           std::span<const Speaker> given) {
  SpeakerChange back;
  back.kind = Kind::kRename;
  back.speaker = {key, "Speaker " + key.substr(1), Provenance::kCluster, 1.0F};
  for (const Speaker& speaker : given) {
    if (speaker.key == key) back.speaker = speaker;
  }
  for (const Caption& caption : published) {
    if (!caption.change || *caption.offset >= offset) continue;
    const SpeakerChange& change = *caption.change;
    const bool names = change.kind == Kind::kRename || change.kind == Kind::kSplit;
    if (names && change.speaker.key == key) back.speaker = change.speaker;
  }
  return back;
}

std::vector<SpeakerChange> labels_back(const States& states) {
  std::map<std::string, SpeakerChange> by_key;
  const auto add = [&](const Speaker& speaker) -> SpeakerChange& {
    SpeakerChange& back = by_key[speaker.key];
    back.speaker = {speaker.key, speaker.name, Provenance::kManual, 1.0F};
    return back;
  };
  // Brings the merged speaker back, also when nothing of his was published yet.
  if (states.change->kind == Kind::kMerge) add({states.change->from, "", Provenance::kManual, 1});
  std::vector<SpeakerChange> full;
  for (std::size_t i = 0; i < states.before.size(); ++i) {
    const std::string& was = states.before[i].speaker.key;
    const std::string& became = states.after[i].speaker.key;
    if (was == became || states.now[i].speaker.key != became) continue;
    SpeakerChange& back = add(states.before[i].speaker);
    back.captions.push_back(*states.before[i].offset);
    if (back.captions.size() == SpeakerChange::kCaptionsMax)
      full.push_back(std::exchange(back, SpeakerChange{Kind::kRelabel, back.speaker, {}, {}}));
  }
  for (auto& [key, back] : by_key) {
    const bool revives = states.change->kind == Kind::kMerge && key == states.change->from;
    if (revives || !back.captions.empty()) full.push_back(std::move(back));
  }
  return full;
}

}  // namespace

Result<std::vector<SpeakerChange>> undo_of(std::span<const Caption> published,
                                           std::uint64_t offset,
                                           std::span<const Speaker> given) {
  const States states = states_around(published, offset);
  if (!states.change) {
    return Error{ErrorCode::kNotFound,
                 "the meeting has no revision with offset " + std::to_string(offset)};
  }
  if (states.change->kind == Kind::kRename)
    return std::vector{earlier_name(published, offset, states.change->speaker.key, given)};
  return labels_back(states);
}

}  // namespace qylon

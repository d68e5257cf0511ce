#include "media/speaker_book.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace qylon::media {
namespace {

constexpr float kMajority = 0.6F;  // Of a caption's windows.
constexpr float kAskAgain = 1.25F;
// Below it an enrolled name is taken back.
constexpr float kNameKeptMin = 0.5F;
constexpr std::int64_t kMinuteUs = 60'000'000;

/// The number of "s12"; 0 when it is no voice's key.
int number_of(std::string_view key) {
  int number = 0;
  if (!key.starts_with('s')) return 0;
  const auto [end, error] = std::from_chars(key.data() + 1, key.data() + key.size(), number);
  return error == std::errc{} && end == key.data() + key.size() ? std::max(number, 0) : 0;
}

}  // namespace

SpeakerBook::SpeakerBook(diarization::VoiceClusters& voices, StoredSpeakers stored)
    : voices_(voices),
      track_voices_(voices),
      gallery_(voices.model(), std::move(stored.enrolled)),
      merged_(std::move(stored.merged)) {
  for (Speaker& speaker : stored.known) {
    last_number_ = std::max(last_number_, number_of(speaker.key));
    speakers_[speaker.key] = std::move(speaker);
  }
  for (const StoredVoice& voice : stored.voices) {
    if (voices_.add_known(voice.centroid, voice.weight)) key_of_voice_.push_back(voice.key);
    last_number_ = std::max(last_number_, number_of(voice.key));
  }
}

std::string SpeakerBook::next_key() {
  return "s" + std::to_string(++last_number_);
}

/// A merge may have gone through several hands.
std::string SpeakerBook::current(std::string key) const {
  for (std::size_t i = 0; i <= merged_.size(); ++i) {
    const auto at = merged_.find(key);
    if (at == merged_.end()) break;
    key = at->second;
  }
  return key;
}

std::string SpeakerBook::key_of(int voice) {
  if (voice < 0) return {};
  const auto number = static_cast<std::size_t>(voice);
  if (key_of_voice_.size() <= number) key_of_voice_.resize(number + 1);
  if (key_of_voice_[number].empty()) key_of_voice_[number] = next_key();
  return current(key_of_voice_[number]);
}

/// Whose a voice is on the track of `person`, or on a mixed one.
std::string SpeakerBook::key_on(TrackId track, const std::string& person, int voice) {
  if (person.empty()) return key_of(voice);
  if (!track_voices_.is_guest(track, voice)) return current(person);
  const std::string key = key_of(voice);
  if (speakers_.contains(key) || guest_names_.contains(key)) return key;
  const auto at = speakers_.find(current(person));
  const std::string name = at == speakers_.end() ? person : at->second.name;
  guest_names_[key] =
      name + " / voice " + std::to_string(track_voices_.guest_number(track, voice) + 1);
  return key;
}

/// What a voice is called until somebody has a better name.
std::string SpeakerBook::first_name(const std::string& key) const {
  const auto guest = guest_names_.find(key);
  return guest == guest_names_.end() ? "Speaker " + key.substr(1) : guest->second;
}

Speaker& SpeakerBook::known(const std::string& key) {
  Speaker& speaker = speakers_[key];
  if (speaker.key.empty()) {
    speaker.key = key;
    if (number_of(key) > 0) speaker.name = first_name(key);
  }
  return speaker;
}

Speaker SpeakerBook::speaker_of(const diarization::VoiceLabel& label) {
  if (label.voice < 0 || label.confidence < kConfidenceMin) return {};
  return shown_with(key_of(label.voice), label.confidence);
}

Speaker SpeakerBook::speaker_on(TrackId track,
                                const Speaker& person,
                                const diarization::VoiceLabel& label) {
  const bool sure = label.voice >= 0 && label.confidence >= kConfidenceMin;
  if (!sure || !track_voices_.is_guest(track, label.voice)) return person;
  return shown_with(key_on(track, person.key, label.voice), label.confidence);
}

Speaker SpeakerBook::shown_with(const std::string& key, float confidence) const {
  const auto at = speakers_.find(key);
  // Not in the list of everybody yet: an interim's speaker may never be.
  Speaker speaker =
      at == speakers_.end() ? Speaker{key, first_name(key), Provenance::kCluster, 0} : at->second;
  speaker.confidence = confidence;
  return speaker;
}

Speaker SpeakerBook::shown_as(Speaker speaker) const {
  speaker.key = current(std::move(speaker.key));
  const auto at = speakers_.find(speaker.key);
  if (at == speakers_.end() || !keeps_name(speaker.key)) return speaker;
  speaker.name = at->second.name;
  speaker.provenance = at->second.provenance;
  return speaker;
}

void SpeakerBook::note(const Speaker& speaker) {
  if (!speaker.key.empty()) speakers_[speaker.key] = speaker;
}

void SpeakerBook::note_final(const Caption& caption,
                             std::vector<VoiceWindow> windows,
                             const std::string& person) {
  note(caption.speaker);
  if (!person.empty()) track_voices_.note(caption.track, windows);
  if (said_.size() == kCaptionsMax) said_.pop_front();
  Said said;
  said.offset = *caption.offset;
  said.key = caption.speaker.key;
  said.track = caption.track;
  said.person = person;
  said.windows = std::move(windows);
  said_.push_back(std::move(said));
}

std::vector<Speaker> SpeakerBook::speakers() const {
  std::vector<Speaker> out;
  for (const auto& [key, speaker] : speakers_) {
    if (!merged_.contains(key)) out.push_back(speaker);
  }
  return out;
}

/// The speaker who has most of a caption's windows now; its own key when nobody has.
std::string SpeakerBook::judged(Said& said) {
  std::map<std::string, std::int64_t> samples_of;
  std::int64_t asked = 0;
  for (const VoiceWindow& window : said.windows) {
    const int voice = voices_.voice_of(window.evidence);
    if (voice < 0) continue;
    asked += window.samples;
    samples_of[key_on(said.track, said.person, voice)] += window.samples;
  }
  for (const auto& [key, samples] : samples_of) {
    said.share = static_cast<float>(samples) / static_cast<float>(asked);
    if (said.share >= kMajority) return key;
  }
  return said.key;
}

std::vector<SpeakerChange> SpeakerBook::corrections(std::int64_t now_us) {
  while (!changes_us_.empty() && changes_us_.front() <= now_us - kMinuteUs)
    changes_us_.pop_front();
  track_voices_.look();
  Groups groups;
  for (Said& said : said_) {
    if (said.manual || said.windows.empty()) continue;
    const std::string key = judged(said);
    if (key == said.key) {
      said.candidate.clear();
      continue;
    }
    if (key != said.candidate) {
      said.candidate = key;
      said.candidate_us = now_us;
    }
    const bool calm = said.corrected_us == 0 || now_us - said.corrected_us >= kCalmUs;
    if (calm && now_us - said.candidate_us >= kHoldUs) groups[{said.key, key}].push_back(&said);
  }
  const auto spent = changes_us_.size();
  std::vector<SpeakerChange> changes =
      changes_of(groups,
                 static_cast<std::size_t>(kChangesPerMinute) -
                     std::min<std::size_t>(spent, static_cast<std::size_t>(kChangesPerMinute)));
  recognise_all(changes);
  changes_us_.insert(changes_us_.end(), changes.size(), now_us);
  for (Said& said : said_) {
    if (!said.candidate.empty() && said.candidate == said.key) said.corrected_us = now_us;
  }
  return changes;
}

std::vector<SpeakerChange> SpeakerBook::last_corrections() {
  track_voices_.look();
  Groups groups;
  for (Said& said : said_) {
    if (said.manual || said.windows.empty()) continue;
    const std::string key = judged(said);
    if (key != said.key) groups[{said.key, key}].push_back(&said);
  }
  std::vector<SpeakerChange> changes = changes_of(groups, said_.size());
  recognise_all(changes);
  return changes;
}

void SpeakerBook::recognise_all(std::vector<SpeakerChange>& changes) {
  if (gallery_.people().empty()) return;
  for (const diarization::VoiceClusters::Profile& profile : voices_.profiles()) {
    if (auto change = recognise(profile)) changes.push_back(*std::move(change));
  }
}

/// The name that a voice gets from the gallery, or that it loses.
std::optional<SpeakerChange> SpeakerBook::recognise(
    const diarization::VoiceClusters::Profile& profile) {
  const auto number = static_cast<std::size_t>(profile.voice);
  if (number >= key_of_voice_.size()) return std::nullopt;
  const auto at = speakers_.find(current(key_of_voice_[number]));
  if (at == speakers_.end()) return std::nullopt;  // Was never shown.
  Speaker& speaker = at->second;
  const bool enrolled = speaker.provenance == Provenance::kEnrolled;
  if (!enrolled && speaker.provenance != Provenance::kCluster) return std::nullopt;
  float& asked = asked_[speaker.key];
  if (profile.weight < asked * kAskAgain) return std::nullopt;
  const auto found = gallery_.recognise(profile.centroid, profile.weight);
  if (!found) return std::nullopt;
  asked = profile.weight;
  const std::string& name = gallery_.people()[found->person].name;
  if (found->probability >= diarization::VoiceGallery::kProbabilityMin) {
    if (enrolled && speaker.name == name) return std::nullopt;
    speaker = {speaker.key, name, Provenance::kEnrolled, found->probability};
  } else if (enrolled && (speaker.name != name || found->probability < kNameKeptMin)) {
    speaker = {speaker.key, first_name(speaker.key), Provenance::kCluster, 1.0F};
  } else {
    return std::nullopt;
  }
  return SpeakerChange{SpeakerChange::Kind::kRename, speaker, "", {}};
}

std::vector<SpeakerChange> SpeakerBook::changes_of(const Groups& groups, std::size_t changes_max) {
  std::vector<SpeakerChange> changes;
  for (const auto& [keys, captions] : groups) {
    for (std::size_t at = 0; at < captions.size(); at += SpeakerChange::kCaptionsMax) {
      if (changes.size() == changes_max) return changes;
      const std::size_t end = std::min(captions.size(), at + SpeakerChange::kCaptionsMax);
      const std::vector<Said*> part(captions.begin() + static_cast<std::ptrdiff_t>(at),
                                    captions.begin() + static_cast<std::ptrdiff_t>(end));
      changes.push_back(change_for(keys.first, keys.second, part));
      if (changes.back().kind == SpeakerChange::Kind::kMerge) break;
    }
  }
  return changes;
}

bool SpeakerBook::keeps_name(const std::string& key) const {
  const auto at = speakers_.find(key);
  return at != speakers_.end() && (at->second.provenance == Provenance::kManual ||
                                   at->second.provenance == Provenance::kEnrolled);
}

/// No voice has this key any more.
bool SpeakerBook::is_gone(const std::string& key) const {
  if (number_of(key) == 0 || merged_.contains(key)) return false;
  for (const diarization::VoiceClusters::Profile& profile : voices_.profiles()) {
    const auto number = static_cast<std::size_t>(profile.voice);
    if (number < key_of_voice_.size() && current(key_of_voice_[number]) == key) return false;
  }
  return true;
}

SpeakerChange SpeakerBook::change_for(const std::string& from,
                                      const std::string& into,
                                      const std::vector<Said*>& captions) {
  SpeakerChange change;
  const bool is_new = !speakers_.contains(into);
  const bool both_named = keeps_name(from) && keeps_name(into);
  const auto of_from =
      std::count_if(said_.begin(), said_.end(), [&](const Said& said) { return said.key == from; });
  const bool most = 2 * captions.size() > static_cast<std::size_t>(of_from);
  if (is_gone(from) && most && !both_named) {
    // The name that somebody gave stays, whichever of the two has it.
    const bool swapped = keeps_name(from);
    change.kind = SpeakerChange::Kind::kMerge;
    change.speaker = known(swapped ? from : into);
    change.from = swapped ? into : from;
    merge(change.from, change.speaker.key);
    return change;
  }
  change.kind = is_new ? SpeakerChange::Kind::kSplit : SpeakerChange::Kind::kRelabel;
  change.speaker = known(into);
  float share = 0;
  for (Said* const said : captions) {
    said->key = into;
    share += said->share;
    change.captions.push_back(said->offset);
  }
  change.speaker.confidence = share / static_cast<float>(captions.size());
  return change;
}

void SpeakerBook::merge(const std::string& from, const std::string& into) {
  merged_[from] = into;
  for (Said& said : said_) {
    if (said.key == from) said.key = into;
  }
}

/// Who a correction names must be somebody. A relabel may bring a merged speaker back, or say that
/// nobody knows.
Status SpeakerBook::check(const SpeakerChange& change) const {
  using Kind = SpeakerChange::Kind;
  const std::string& key = change.speaker.key;
  const auto missing = [](const std::string& wanted) {
    return Error{ErrorCode::kNotFound, "the meeting has no speaker \"" + wanted + "\""};
  };
  const bool relabels = change.kind == Kind::kRelabel;
  const bool known = speakers_.contains(key) && (relabels || !merged_.contains(key));
  if (change.kind != Kind::kSplit && !known && !(relabels && key.empty())) return missing(key);
  if (change.kind != Kind::kMerge) return ok();
  if (!speakers_.contains(change.from) || merged_.contains(change.from))
    return missing(change.from);
  if (change.from != key) return ok();
  return Error{ErrorCode::kConflict, "a speaker cannot be merged into itself"};
}

Result<SpeakerChange> SpeakerBook::apply(SpeakerChange change) {
  using Kind = SpeakerChange::Kind;
  const Status checked = check(change);
  if (!checked) return checked.error();
  std::string& key = change.speaker.key;
  if (change.kind == Kind::kSplit) key = next_key();
  if (!key.empty()) {
    Speaker& speaker = known(key);
    const bool names = change.kind == Kind::kRename || change.kind == Kind::kSplit;
    if (names && change.speaker.name.empty()) change.speaker.name = speaker.name;
    if (names) speaker = change.speaker;
    change.speaker.name = speaker.name;
  }
  if (change.kind == Kind::kRelabel) merged_.erase(key);
  if (change.kind == Kind::kMerge) merge(change.from, key);
  for (Said& said : said_) {
    if (!std::binary_search(change.captions.begin(), change.captions.end(), said.offset)) continue;
    said.key = key;
    said.manual = true;
  }
  return change;
}

std::vector<StoredVoice> SpeakerBook::voices() const {
  std::vector<StoredVoice> out;
  for (diarization::VoiceClusters::Profile& profile : voices_.profiles()) {
    const auto number = static_cast<std::size_t>(profile.voice);
    if (number >= key_of_voice_.size() || key_of_voice_[number].empty()) continue;  // Never shown.
    out.push_back({key_of_voice_[number], std::move(profile.centroid), profile.weight});
  }
  return out;
}

}  // namespace qylon::media

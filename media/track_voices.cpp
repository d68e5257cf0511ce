#include "media/track_voices.hpp"

#include <algorithm>
#include <utility>

#include "diarization/voice_gallery.hpp"

namespace qylon::media {
namespace {

using Profile = diarization::VoiceClusters::Profile;

/// The voice that has most; -1 when there is none.
int most_of(const std::map<int, std::int64_t>& samples) {
  const auto most =
      std::max_element(samples.begin(), samples.end(), [](const auto& one, const auto& other) {
        return one.second < other.second;
      });
  return most == samples.end() ? -1 : most->first;
}

}  // namespace

void TrackVoices::note(TrackId track, std::vector<VoiceWindow> windows) {
  if (said_.size() == kCaptionsMax) said_.pop_front();
  said_.push_back({track, std::move(windows)});
}

bool TrackVoices::is_guest(TrackId track, int voice) const {
  const auto at = tracks_.find(track);
  return at != tracks_.end() && at->second.guests.contains(voice);
}

bool TrackVoices::is_shared(TrackId track) const {
  const auto at = tracks_.find(track);
  return at != tracks_.end() && !at->second.guests.empty();
}

int TrackVoices::guest_number(TrackId track, int voice) const {
  const std::set<int>& guests = tracks_.at(track).guests;
  return 1 + static_cast<int>(std::distance(guests.begin(), guests.find(voice)));
}

/// Whose the windows are may have been revised since: all are counted anew, the newest first.
void TrackVoices::count() {
  for (auto& [track, heard] : tracks_) {
    heard.samples.clear();
    heard.recent.clear();
  }
  std::map<TrackId, std::int64_t> counted;
  for (auto said = said_.rbegin(); said != said_.rend(); ++said) {
    Heard& heard = tracks_[said->track];
    for (const VoiceWindow& window : said->windows) {
      const int voice = voices_.voice_of(window.evidence);
      if (voice < 0) continue;
      heard.samples[voice] += window.samples;
      if (counted[said->track] < kRecentSamples) heard.recent[voice] += window.samples;
      counted[said->track] += window.samples;
    }
  }
}

/// It is the voice of a track's person, or has more than `samples` on one: there it is at home.
bool TrackVoices::is_others(int voice, std::int64_t samples) const {
  return std::any_of(tracks_.begin(), tracks_.end(), [&](const auto& item) {
    const auto there = item.second.samples.find(voice);
    const bool more = there != item.second.samples.end() && there->second > samples;
    return item.second.person == voice || more;
  });
}

bool TrackVoices::differ(int one, int other) const {
  std::vector<Profile> profiles = voices_.profiles();
  const auto of = [&](int voice) {
    return std::find_if(profiles.begin(), profiles.end(), [voice](const Profile& profile) {
      return profile.voice == voice;
    });
  };
  const auto a = of(one);
  const auto b = of(other);
  if (a == profiles.end() || b == profiles.end()) return false;
  const diarization::VoiceGallery gallery(voices_.model(), {{"", a->centroid, a->weight}});
  return gallery.log_odds(gallery.people().front(), b->centroid, b->weight) < kSameOddsMax;
}

void TrackVoices::find_guests(Heard& heard) {
  std::erase_if(heard.guests, [&](int voice) { return !heard.samples.contains(voice); });
  const auto person = heard.samples.find(heard.person);
  if (person == heard.samples.end()) {
    auto others = heard.samples;
    for (const int guest : heard.guests)
      others.erase(guest);
    const int most = most_of(others);
    heard.person = -1;
    if (most >= 0 && others[most] >= kGuestSamples && !is_others(most, others[most]))
      heard.person = most;
  }
  if (heard.person < 0) return;
  for (const auto& [voice, samples] : heard.samples) {
    if (samples < kGuestSamples || heard.guests.contains(voice)) continue;
    if (is_others(voice, samples)) continue;
    if (differ(heard.person, voice)) heard.guests.insert(voice);
  }
}

/// Whose voice nearly all of the newest speech is; -1 when it is nobody's or there is too little.
int TrackVoices::mostly(const Heard& heard) {
  std::int64_t all = 0;
  for (const auto& [voice, samples] : heard.recent)
    all += samples;
  const int most = most_of(heard.recent);
  if (all < kRecentSamples || most < 0) return -1;
  const auto share = static_cast<float>(heard.recent.at(most)) / static_cast<float>(all);
  return share >= kRecentShare ? most : -1;
}

void TrackVoices::make_hints() {
  hints_.clear();
  for (auto one = tracks_.begin(); one != tracks_.end(); ++one) {
    if (!one->second.guests.empty()) hints_.push_back({VoiceHint::Kind::kShared, {one->first}});
    for (auto other = std::next(one); other != tracks_.end(); ++other) {
      if (one->second.person < 0 || other->second.person < 0) continue;
      if (mostly(one->second) == other->second.person &&
          mostly(other->second) == one->second.person) {
        hints_.push_back({VoiceHint::Kind::kSwapped, {one->first, other->first}});
      }
    }
  }
}

void TrackVoices::look() {
  if (said_.empty()) return;
  count();
  for (auto& [track, heard] : tracks_)
    find_guests(heard);
  make_hints();
}

}  // namespace qylon::media

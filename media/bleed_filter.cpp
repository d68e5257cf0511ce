#include "media/bleed_filter.hpp"

#include <algorithm>
#include <utility>

namespace qylon::media {
namespace {

constexpr std::int64_t kRowMs = SoundTrace::kFrameMs;
// An interim is judged by its end: the rest was judged when it was shown.
constexpr std::int64_t kInterimMs = 2000;
// Words of two recognisers, or of one that heard worse, lie apart by this much.
constexpr std::int64_t kWordApartMs = 150;

std::int64_t row_of(const Captioner& captioner, std::int64_t meeting_ms) {
  const std::int64_t ms = meeting_ms - captioner.zero_ms();
  return ms >= 0 ? ms / kRowMs : -((-ms + kRowMs - 1) / kRowMs);
}

/// The word widened around its middle to kAroundMs, as far as the track has sound.
SoundStretch around(const Captioner& own, const Word& word) {
  const SoundTrace& sound = own.sound();
  const std::int64_t rows = std::max(BleedFilter::kAroundMs, word.end_ms - word.start_ms) / kRowMs;
  const std::int64_t middle = row_of(own, (word.start_ms + word.end_ms) / 2);
  const std::int64_t from =
      std::max(sound.begin(), std::min(middle - rows / 2, sound.end() - rows));
  return {sound, from, std::min(rows, sound.end() - from)};
}

void keep_words(Caption& caption, const std::vector<bool>& keep) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < caption.words.size(); ++i) {
    if (keep[i]) words.push_back(std::move(caption.words[i]));
  }
  set_words(caption, std::move(words));
  caption.stable_words = caption.words.size();
}

}  // namespace

bool BleedFilter::speaks(TrackId track, const Word& word) const {
  return tracks_.at(track)->waits_within(word.start_ms - kLagMs, word.end_ms + kLagMs);
}

bool BleedFilter::has_said(TrackId track, const Word& word) const {
  constexpr std::int64_t kApartMs = kLagMs + kWordApartMs;
  return std::any_of(said_.begin(), said_.end(), [&](const Said& said) {
    return said.track == track && said.start_ms < word.end_ms + kApartMs &&
           said.end_ms > word.start_ms - kApartMs;
  });
}

bool BleedFilter::is_bleed_of(const Captioner& own,
                              const Captioner& other,
                              const Word& word,
                              float likeness_min) const {
  const SoundStretch stretch = around(own, word);
  const bool kept = row_of(own, word.start_ms) >= own.sound().begin();
  if (!kept || stretch.rows < kAroundMs / kRowMs / 2) return false;
  const std::int64_t there =
      row_of(other, own.zero_ms() + stretch.from * kRowMs + kRowMs / 2);  // To the nearest row.
  const auto match = match_sound(stretch, other.sound(), there, kLagMs / kRowMs);
  if (!match || match->likeness < likeness_min || match->gain_db > kEqualDb) return false;
  if (match->gain_db > -kEqualDb && match->likeness < kLikenessEqualMin) return false;
  const std::int64_t from = std::max(row_of(own, word.start_ms), stretch.from);
  const std::int64_t end = std::min(row_of(own, word.end_ms), stretch.from + stretch.rows);
  return level_above(stretch, {own.sound(), from, end - from}, other.sound(), there, *match) <
         kOwnWordDb;
}

std::set<TrackId> BleedFilter::louder_tracks(TrackId track, const Word& word) const {
  std::set<TrackId> louder;
  const Captioner& own = *tracks_.at(track);
  for (const auto& [other, captioner] : tracks_) {
    if (other == track || (!speaks(other, word) && !has_said(other, word))) continue;
    if (is_bleed_of(own, *captioner, word, kLikenessMin)) louder.insert(other);
  }
  return louder;
}

std::vector<std::set<TrackId>> BleedFilter::louder_tracks(const Caption& caption) const {
  std::vector<std::set<TrackId>> louder;
  for (const Word& word : caption.words)
    louder.push_back(louder_tracks(caption.track, word));
  const Captioner& own = *tracks_.at(caption.track);
  const auto sure = louder;
  for (std::size_t i = 0; i < sure.size(); ++i) {
    if (!sure[i].empty()) continue;
    std::set<TrackId> beside = i > 0 ? sure[i - 1] : std::set<TrackId>{};
    if (i + 1 < sure.size()) beside.insert(sure[i + 1].begin(), sure[i + 1].end());
    for (const TrackId other : beside) {
      if (is_bleed_of(own, *tracks_.at(other), caption.words[i], kLikenessBesideMin))
        louder[i].insert(other);
    }
  }
  return louder;
}

void BleedFilter::on_interim(Caption&& caption) {
  const Word newest{"", std::max(caption.start_ms, caption.end_ms - kInterimMs), caption.end_ms, 0};
  if (!louder_tracks(caption.track, newest).empty()) return;
  shown_.insert(caption.segment);
  host_.on_interim(std::move(caption));
}

void BleedFilter::on_final(Caption&& caption, std::vector<VoiceWindow>&& windows) {
  Held held{std::move(caption), std::move(windows), {}};
  held.louder = louder_tracks(held.caption);
  note_said(held);
  if (!must_wait(held)) {
    release(std::move(held));
  } else {
    if (held_.size() == kHeldMax) {
      counts_.overflow.add();
      held_.front().louder.assign(held_.front().louder.size(), {});
      release(std::move(held_.front()));
      held_.pop_front();
    }
    held_.push_back(std::move(held));
  }
  tick();
}

/// Somebody who says it louder is not recognised yet.
bool BleedFilter::must_wait(const Held& held) const {
  for (std::size_t i = 0; i < held.louder.size(); ++i) {
    const Word& word = held.caption.words[i];
    for (const TrackId other : held.louder[i]) {
      if (speaks(other, word)) return true;
    }
  }
  return false;
}

void BleedFilter::note_said(const Held& held) {
  for (std::size_t i = 0; i < held.louder.size(); ++i) {
    if (!held.louder[i].empty()) continue;
    if (said_.size() == kSaidMax) said_.pop_front();
    const Word& word = held.caption.words[i];
    said_.push_back({held.caption.track, word.start_ms, word.end_ms});
  }
}

/// A louder track's words are known by now: what it has said there is taken out here.
void BleedFilter::release(Held&& held) {
  std::vector<bool> keep;
  std::uint64_t taken = 0;
  for (std::size_t i = 0; i < held.louder.size(); ++i) {
    const Word& word = held.caption.words[i];
    const bool said = std::any_of(held.louder[i].begin(), held.louder[i].end(), [&](TrackId other) {
      return has_said(other, word);
    });
    keep.push_back(!said);
    taken += said ? 1 : 0;
    if (!said) held.louder[i].clear();
  }
  if (taken > 0) keep_words(held.caption, keep);
  // Most of it sounded like somebody else, whose voice is no evidence of who spoke here.
  if (2 * taken > keep.size()) held.windows.clear();
  counts_.words.add(taken);
  const bool was_shown = shown_.erase(held.caption.segment) > 0;
  if (taken > 0 && held.caption.words.empty() && !was_shown) return;
  host_.on_final(std::move(held.caption), std::move(held.windows));
}

void BleedFilter::tick() {
  for (auto at = held_.begin(); at != held_.end();) {
    if (must_wait(*at)) {
      ++at;
      continue;
    }
    Held held = std::move(*at);
    at = held_.erase(at);
    release(std::move(held));
  }
}

void BleedFilter::release_all() {
  for (Held& held : std::exchange(held_, {}))
    release(std::move(held));
}

}  // namespace qylon::media

#include "diarization/voice_regrouping.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "diarization/voice_partition.hpp"

namespace qylon::diarization {
namespace {

constexpr int kRunMax = 4;           // Windows of a stretch: a wrong one must not drag many along.
constexpr float kRunGap_s = 0.8F;    // A pause in which the voice may have changed.
constexpr float kBreak = 1.0F;       // Log odds of one voice below which a stretch ends.
constexpr std::int64_t kNewest = 2;  // Windows that may wait for more of a new voice.
constexpr std::size_t kSmoothed = 100;

struct Stretches {
  std::vector<float> sums;
  std::vector<float> counts;
  std::vector<int> of_voice;
  std::vector<int> of_window;

  int begin(std::size_t size) {
    sums.resize(sums.size() + size);
    counts.push_back(0);
    return static_cast<int>(counts.size()) - 1;
  }
};

void add_scaled(std::span<const float> vector, float factor, std::span<float> sum) {
  for (std::size_t i = 0; i < sum.size(); ++i)
    sum[i] += factor * vector[i];
}

/// The open stretch of a track.
struct Run {
  int stretch = -1;
  int voice = -1;
  int windows = 0;
};

/// Log odds that the window and what the stretch has are of one voice.
float odds_of_one_voice(std::span<const float> sum,
                        float count,
                        const VoiceSet::Centred& window,
                        const VoiceSet& voices) {
  const auto product = [&](std::span<const float> a, std::span<const float> b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
  };
  const float square = product(sum, sum);
  const float both = square + 2 * window.count * product(sum, window.vector) +
                     window.count * window.count * window.square;
  const VoiceLikelihood& likelihood = voices.likelihood();
  return likelihood.evidence(count + window.count, both) - likelihood.evidence(count, square) -
         voices.evidence_alone(window);
}

Stretches stretches_of(const VoiceHistory& history, const VoiceSet& voices) {
  const std::size_t size = voices.mean().size();
  Stretches out;
  const auto sum_of = [&](int stretch) {
    return std::span(out.sums).subspan(static_cast<std::size_t>(stretch) * size, size);
  };
  for (const VoiceSet::Voice& voice : voices.voices()) {
    const bool forgotten = voice.forgotten_count > 0;
    out.of_voice.push_back(forgotten ? out.begin(size) : -1);
    if (!forgotten) continue;
    out.counts.back() = voice.forgotten_count;
    add_scaled(voice.forgotten, 1.0F, sum_of(out.of_voice.back()));
    add_scaled(voices.mean(), -voice.forgotten_count, sum_of(out.of_voice.back()));
  }
  std::map<int, Run> runs;
  for (std::int64_t evidence = history.first(); evidence < history.next(); ++evidence) {
    const HeardWindow& heard = history.window(evidence);
    const auto window = voices.centred(history.vector(evidence), heard.count);
    const int voice = history.voice_of(evidence);
    Run& run = runs[heard.track];
    const auto count = [&] { return out.counts[static_cast<std::size_t>(run.stretch)]; };
    if (run.stretch < 0 || run.voice != voice || run.windows == kRunMax ||
        heard.gap_s >= kRunGap_s ||
        odds_of_one_voice(sum_of(run.stretch), count(), window, voices) < kBreak) {
      run = {out.begin(size), voice, 0};
    }
    ++run.windows;
    out.of_window.push_back(run.stretch);
    out.counts[static_cast<std::size_t>(run.stretch)] += heard.count;
    add_scaled(window.vector, heard.count, sum_of(run.stretch));
  }
  return out;
}

/// Sums of the groups of a partition, and which of them have too little to be a voice.
struct Groups {
  std::vector<float> sums;
  std::vector<float> counts;
  std::vector<float> squares;

  Groups(const Stretches& stretches, std::span<const int> group_of, std::size_t size) {
    const int last = *std::max_element(group_of.begin(), group_of.end());
    counts.resize(static_cast<std::size_t>(last) + 1);
    sums.resize(counts.size() * size);
    for (std::size_t i = 0; i < group_of.size(); ++i) {
      const auto group = static_cast<std::size_t>(group_of[i]);
      counts[group] += stretches.counts[i];
      for (std::size_t k = 0; k < size; ++k)
        sums[group * size + k] += stretches.sums[i * size + k];
    }
    for (std::size_t group = 0; group < counts.size(); ++group)
      squares.push_back(product(group, group, size));
  }

  float product(std::size_t a, std::size_t b, std::size_t size) const {
    float out = 0;
    for (std::size_t k = 0; k < size; ++k)
      out += sums[a * size + k] * sums[b * size + k];
    return out;
  }
};

/// For each group itself, or the heavy enough one that explains it best.
std::vector<int> heavier_groups(const Groups& groups,
                                const VoiceLikelihood& likelihood,
                                float lightest) {
  const float enough =
      std::min(lightest, *std::max_element(groups.counts.begin(), groups.counts.end()));
  const std::size_t size = groups.sums.size() / groups.counts.size();
  std::vector<int> out(groups.counts.size());
  for (std::size_t group = 0; group < out.size(); ++group) {
    out[group] = static_cast<int>(group);
    if (groups.counts[group] >= enough) continue;
    float best = -std::numeric_limits<float>::infinity();
    for (std::size_t heavy = 0; heavy < out.size(); ++heavy) {
      if (groups.counts[heavy] < enough) continue;
      const float square =
          groups.squares[group] + groups.squares[heavy] + 2 * groups.product(group, heavy, size);
      const float gain = likelihood.evidence(groups.counts[group] + groups.counts[heavy], square) -
                         likelihood.evidence(groups.counts[heavy], groups.squares[heavy]);
      if (gain <= best) continue;
      best = gain;
      out[group] = static_cast<int>(heavy);
    }
  }
  return out;
}

/// Log evidence of a grouping of the windows and of what is forgotten of each voice; -1: alone.
float evidence_of(const VoiceHistory& history,
                  const VoiceSet& voices,
                  std::span<const int> of_voice,
                  std::span<const int> of_window,
                  int count) {
  const std::size_t size = voices.mean().size();
  std::vector<float> sums(static_cast<std::size_t>(count) * size);
  std::vector<float> counts(static_cast<std::size_t>(count));
  float out = 0;
  const auto sum_of = [&](int group) {
    return std::span(sums).subspan(static_cast<std::size_t>(group) * size, size);
  };
  for (std::size_t i = 0; i < of_voice.size(); ++i) {
    const VoiceSet::Voice& voice = voices.voices()[i];
    if (of_voice[i] < 0 || voice.forgotten_count <= 0) continue;
    add_scaled(voice.forgotten, 1.0F, sum_of(of_voice[i]));
    add_scaled(voices.mean(), -voice.forgotten_count, sum_of(of_voice[i]));
    counts[static_cast<std::size_t>(of_voice[i])] += voice.forgotten_count;
  }
  for (std::size_t i = 0; i < of_window.size(); ++i) {
    const std::int64_t evidence = history.first() + static_cast<std::int64_t>(i);
    const auto window = voices.centred(history.vector(evidence), history.window(evidence).count);
    if (of_window[i] < 0) {
      out += voices.evidence_alone(window);
    } else {
      add_scaled(window.vector, window.count, sum_of(of_window[i]));
      counts[static_cast<std::size_t>(of_window[i])] += window.count;
    }
  }
  for (int group = 0; group < count; ++group) {
    const std::span<const float> sum = sum_of(group);
    out +=
        voices.likelihood().evidence(counts[static_cast<std::size_t>(group)],
                                     std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0F));
  }
  return out;
}

float evidence_now(const VoiceHistory& history, const VoiceSet& voices) {
  std::vector<int> of_voice(voices.voices().size());
  std::iota(of_voice.begin(), of_voice.end(), 0);
  std::vector<int> of_window;
  for (std::int64_t evidence = history.first(); evidence < history.next(); ++evidence)
    of_window.push_back(voices.index_of(history.voice_of(evidence)));
  return evidence_of(history, voices, of_voice, of_window, static_cast<int>(of_voice.size()));
}

}  // namespace

VoiceGroups regrouped(const VoiceHistory& history,
                      const VoiceSet& voices,
                      float lightest,
                      int groups_max) {
  const std::size_t size = voices.mean().size();
  const Stretches stretches = stretches_of(history, voices);
  const std::vector<int> group_of =
      voice_partition({stretches.sums, stretches.counts, size}, voices.likelihood(), groups_max);
  const Groups groups(stretches, group_of, size);
  const std::vector<int> heavier = heavier_groups(groups, voices.likelihood(), lightest);
  VoiceGroups out;
  out.count = static_cast<int>(heavier.size());
  const auto group_at = [&](int stretch) { return group_of[static_cast<std::size_t>(stretch)]; };
  const auto heavy_at = [&](int group) { return heavier[static_cast<std::size_t>(group)]; };
  for (const int stretch : stretches.of_voice)
    out.of_voice.push_back(stretch < 0 ? -1 : heavy_at(group_at(stretch)));
  for (std::size_t i = 0; i < stretches.of_window.size(); ++i) {
    const int group = group_at(stretches.of_window[i]);
    const std::int64_t evidence = history.first() + static_cast<std::int64_t>(i);
    const bool waits = heavy_at(group) != group && history.voice_of(evidence) < 0 &&
                       evidence + kNewest >= history.next();
    out.of_window.push_back(waits ? -1 : heavy_at(group));
  }
  out.gain = evidence_of(history, voices, out.of_voice, out.of_window, out.count) -
             evidence_now(history, voices);
  return out;
}

namespace {

/// Likeliest voice of each of a track's windows.
void smooth_track(std::span<const std::int64_t> windows,
                  VoiceHistory& history,
                  const VoiceSet& voices,
                  std::span<const int> shown,
                  const TurnTaking& options) {
  const std::size_t count = voices.voices().size();
  std::vector<float> scores(count);
  std::vector<float> next(count);
  std::vector<int> came_from(windows.size() * count);
  for (std::size_t t = 0; t < windows.size(); ++t) {
    const HeardWindow& window = history.window(windows[t]);
    const auto centred = voices.centred(history.vector(windows[t]), window.count);
    const float stay = options.stay * std::exp(-window.gap_s / options.stay_s);
    const float change = (1 - stay) / static_cast<float>(count);
    const int kept = shown[static_cast<std::size_t>(windows[t] - history.first())];
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    const float changed = scores[static_cast<std::size_t>(best)] + std::log(change);
    for (std::size_t k = 0; k < count; ++k) {
      const VoiceSet::Voice& voice = voices.voices()[k];
      const float stayed = scores[k] + std::log(stay + change);
      came_from[t * count + k] = stayed >= changed ? static_cast<int>(k) : static_cast<int>(best);
      const bool own = history.voice_of(windows[t]) == voice.number;
      next[k] = std::max(stayed, changed) + (kept == voice.number ? options.keep : 0.0F) +
                (own ? voices.gain_of_own(voice, centred) : voices.gain(voice, centred));
    }
    std::swap(scores, next);
  }
  auto k =
      static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  for (std::size_t t = windows.size(); t-- > 0;) {
    if (history.voice_of(windows[t]) >= 0) {
      history.set_voice(windows[t], voices.voices()[k].number);
    }
    k = static_cast<std::size_t>(came_from[t * count + k]);
  }
}

}  // namespace

void smooth_changes(VoiceHistory& history,
                    const VoiceSet& voices,
                    std::span<const int> shown,
                    const TurnTaking& options) {
  if (voices.voices().size() < 2) return;
  std::map<int, std::vector<std::int64_t>> tracks;
  for (std::int64_t evidence = history.first(); evidence < history.next(); ++evidence)
    tracks[history.window(evidence).track].push_back(evidence);
  for (const auto& [track, windows] : tracks) {
    const std::size_t recent = std::min(windows.size(), kSmoothed);
    smooth_track(std::span(windows).last(recent), history, voices, shown, options);
  }
}

}  // namespace qylon::diarization

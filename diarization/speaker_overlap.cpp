#include "diarization/speaker_overlap.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>

namespace qylon::diarization {
namespace {

struct Interval {
  double start_s;
  double end_s;
};

/// One recording's turns of one side, by speaker, overlapping and touching turns joined.
using Speakers = std::vector<std::vector<Interval>>;

/// What an event opens (+1) or closes (-1).
enum class Layer : std::uint8_t { kReference, kHypothesis, kScored, kCollar };

struct Event {
  double time_s;
  Layer layer;
  std::size_t speaker;
  int change;
};

Speakers speakers_of(std::span<const Turn> turns, std::string_view recording) {
  std::map<std::string_view, std::vector<Interval>> by_name;
  for (const Turn& turn : turns) {
    if (turn.recording != recording || turn.end_s <= turn.start_s) continue;
    by_name[turn.speaker].push_back({turn.start_s, turn.end_s});
  }
  Speakers speakers;
  for (auto& [name, intervals] : by_name) {
    std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) {
      return a.start_s < b.start_s;
    });
    std::vector<Interval> joined;
    for (const Interval& interval : intervals) {
      if (!joined.empty() && interval.start_s <= joined.back().end_s) {
        joined.back().end_s = std::max(joined.back().end_s, interval.end_s);
      } else {
        joined.push_back(interval);
      }
    }
    speakers.push_back(std::move(joined));
  }
  return speakers;
}

void add_interval(std::vector<Event>& events,
                  const Interval& interval,
                  Layer layer,
                  std::size_t speaker) {
  events.push_back({interval.start_s, layer, speaker, +1});
  events.push_back({interval.end_s, layer, speaker, -1});
}

void add_speakers(std::vector<Event>& events, const Speakers& speakers, Layer layer) {
  for (std::size_t i = 0; i < speakers.size(); ++i) {
    for (const Interval& interval : speakers[i]) {
      add_interval(events, interval, layer, i);
    }
  }
}

void add_collars(std::vector<Event>& events, const Speakers& reference, double collar_s) {
  if (collar_s <= 0) return;
  for (const std::vector<Interval>& intervals : reference) {
    for (const Interval& interval : intervals) {
      for (const double edge_s : {interval.start_s, interval.end_s}) {
        add_interval(events, {edge_s - collar_s, edge_s + collar_s}, Layer::kCollar, 0);
      }
    }
  }
}

double last_boundary_s(const Speakers& reference, const Speakers& hypothesis) {
  double last_s = 0;
  for (const Speakers* side : {&reference, &hypothesis}) {
    for (const std::vector<Interval>& intervals : *side) {
      last_s = std::max(last_s, intervals.back().end_s);
    }
  }
  return last_s;
}

void add_scored(std::vector<Event>& events,
                std::span<const ScoredRegion> scored,
                std::string_view recording,
                double last_s) {
  bool found = false;
  for (const ScoredRegion& region : scored) {
    if (region.recording != recording) continue;
    found = true;
    add_interval(events, {region.start_s, region.end_s}, Layer::kScored, 0);
  }
  if (!found) add_interval(events, {0.0, last_s}, Layer::kScored, 0);
}

/// Walks through the events of one recording and adds up what each stretch between two of them
/// contributes.
class Sweep {
 public:
  Sweep(std::size_t reference, std::size_t hypothesis, bool skip_overlap)
      : skip_overlap_(skip_overlap) {
    out_.reference_s.resize(reference);
    out_.hypothesis_s.resize(hypothesis);
    out_.together_s.resize(reference * hypothesis);
  }

  void apply(const Event& event) {
    if (event.time_s > now_s_) add(event.time_s - now_s_);
    now_s_ = event.time_s;
    switch (event.layer) {
      case Layer::kScored:
        scored_ += event.change;
        break;
      case Layer::kCollar:
        collars_ += event.change;
        break;
      case Layer::kReference:
        change(reference_, event);
        break;
      case Layer::kHypothesis:
        change(hypothesis_, event);
        break;
    }
  }

  SpeakerOverlap finish() { return std::move(out_); }

 private:
  static void change(std::vector<std::size_t>& active, const Event& event) {
    if (event.change > 0) {
      active.push_back(event.speaker);
    } else {
      active.erase(std::find(active.begin(), active.end(), event.speaker));
    }
  }

  void add(double duration_s) {
    if (scored_ <= 0 || collars_ > 0) return;
    if (skip_overlap_ && reference_.size() > 1) return;
    const auto said = static_cast<double>(reference_.size());
    const auto found = static_cast<double>(hypothesis_.size());
    out_.miss_s += duration_s * std::max(0.0, said - found);
    out_.false_alarm_s += duration_s * std::max(0.0, found - said);
    out_.attributed_s += duration_s * std::min(said, found);
    for (const std::size_t j : hypothesis_)
      out_.hypothesis_s[j] += duration_s;
    for (const std::size_t i : reference_) {
      out_.reference_s[i] += duration_s;
      for (const std::size_t j : hypothesis_) {
        out_.together_s[i * out_.hypothesis_s.size() + j] += duration_s;
      }
    }
  }

  bool skip_overlap_;
  std::vector<std::size_t> reference_;  // Who is active now.
  std::vector<std::size_t> hypothesis_;
  int scored_ = 0;
  int collars_ = 0;
  double now_s_ = -std::numeric_limits<double>::infinity();
  SpeakerOverlap out_;
};

}  // namespace

SpeakerOverlap measure_overlap(std::string_view recording,
                               std::span<const Turn> reference_turns,
                               std::span<const Turn> hypothesis_turns,
                               std::span<const ScoredRegion> scored,
                               const OverlapOptions& options) {
  const Speakers reference = speakers_of(reference_turns, recording);
  const Speakers hypothesis = speakers_of(hypothesis_turns, recording);
  std::vector<Event> events;
  add_speakers(events, reference, Layer::kReference);
  add_speakers(events, hypothesis, Layer::kHypothesis);
  add_collars(events, reference, options.collar_s);
  add_scored(events, scored, recording, last_boundary_s(reference, hypothesis));
  // Openings first, so that a turn that ends where it starts again never closes before it opens.
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.time_s != b.time_s ? a.time_s < b.time_s : a.change > b.change;
  });
  Sweep sweep(reference.size(), hypothesis.size(), options.skip_overlap);
  for (const Event& event : events)
    sweep.apply(event);
  return sweep.finish();
}

std::vector<std::string> recordings_of(std::span<const Turn> turns) {
  std::vector<std::string> recordings;
  for (const Turn& turn : turns)
    recordings.push_back(turn.recording);
  std::sort(recordings.begin(), recordings.end());
  recordings.erase(std::unique(recordings.begin(), recordings.end()), recordings.end());
  return recordings;
}

}  // namespace qylon::diarization

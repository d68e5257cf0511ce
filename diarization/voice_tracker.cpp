#include "diarization/voice_tracker.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "core/check.hpp"
#include "dsp/log_mel.hpp"

namespace qylon::diarization {
namespace {

// All lengths in blocks of 10 ms; frame i starts with block i.
constexpr std::int64_t kWindow = 150;
constexpr std::int64_t kHop = 50;
constexpr std::int64_t kPause = 30;            // Silence that ends a stretch of speech.
constexpr std::int64_t kTail = 10;             // A shorter rest belongs to the window before it.
constexpr std::int64_t kRemembered = 800;      // Frames kept: 8 s.
constexpr std::size_t kWindowsKept = 128;      // 64 s of speech.
constexpr std::int64_t kEnoughForVoice = 120;  // Speech from which one window may found a voice.
constexpr float kBlock_s = 0.01F;

/// A label that was given: the stretch it stands for and the evidence to ask about again.
struct Window {
  std::int64_t start = 0;  // Samples.
  std::int64_t end = 0;
  std::int64_t evidence = -1;
  float confidence = 0;
};

/// The last kRemembered frames of a track, by the block they start with.
class FrameRing {
 public:
  void clear(std::int64_t next) { first_ = next_ = next; }

  void push(std::span<const float> mel_db) {
    std::copy(mel_db.begin(), mel_db.end(), values_.begin() + offset(next_));
    ++next_;
    first_ = std::max(first_, next_ - kRemembered);
  }

  std::int64_t next() const { return next_; }
  std::int64_t first() const { return first_; }

  /// Copies frames [start, end), which must be kept, behind each other.
  std::span<const float> copy(std::int64_t start, std::int64_t end, std::span<float> out) const {
    QYLON_CHECK(start >= first_ && end <= next_ && start <= end);
    auto to = out.begin();
    for (std::int64_t i = start; i < end; ++i) {
      to = std::copy_n(values_.begin() + offset(i), kMelBands, to);
    }
    return out.first(static_cast<std::size_t>((end - start) * kMelBands));
  }

  /// Mean over bands, in dB.
  float level(std::int64_t i) const {
    float sum = 0;
    for (int k = 0; k < kMelBands; ++k)
      sum += values_[static_cast<std::size_t>(offset(i) + k)];
    return sum / kMelBands;
  }

 private:
  static std::ptrdiff_t offset(std::int64_t i) {
    return static_cast<std::ptrdiff_t>(((i % kRemembered) + kRemembered) % kRemembered * kMelBands);
  }

  std::vector<float> values_ = std::vector<float>(kRemembered * kMelBands);
  std::int64_t first_ = 0;
  std::int64_t next_ = 0;
};

dsp::LogMel front_end() {
  Result<dsp::LogMel> log_mel = dsp::LogMel::create(dsp::LogMel::Options::python_speech_features());
  QYLON_CHECK(log_mel);  // Constant options.
  return *std::move(log_mel);
}

}  // namespace

struct VoiceTracker::State {
  explicit State(VoiceClusters& shared)
      : clusters(shared),
        embedding(static_cast<std::size_t>(shared.embedding_size())),
        mel(kWindow * kMelBands) {}

  VoiceClusters& clusters;
  VoiceClusters::Follower follower;
  dsp::LogMel log_mel = front_end();
  FrameRing frames;
  std::vector<float> embedding;  // Scratch.
  std::vector<float> mel;        // Scratch.
  std::array<Window, kWindowsKept> windows;
  std::size_t window_count = 0;  // Ever; the last kWindowsKept are there.
  std::int64_t offset = 0;       // Samples between a block's start and a multiple of 160.
  std::int64_t next_block = -1;  // Expected next; -1 before the first.
  bool speaking = false;         // Inside a stretch of speech.
  std::int64_t speech_start = 0;
  std::int64_t speech_end = 0;   // Behind the last block with speech.
  std::int64_t next_window = 0;  // Frame at which the next window is full.
  std::int64_t labelled = 0;     // Up to where the stretch has labels.
  std::int64_t heard = 0;        // Behind the last frame that a window had.
  std::int64_t last_label = 0;   // Where the last label ended, in this or an earlier stretch.

  std::int64_t sample_of(std::int64_t block) const { return block * kBlockSamples + offset; }
  std::int64_t block_of(std::int64_t sample) const {
    const std::int64_t from = sample - offset;
    return from >= 0 ? from / kBlockSamples : -((-from + kBlockSamples - 1) / kBlockSamples);
  }

  void restart(std::int64_t start_sample);
  void start_stretch(std::int64_t block);
  std::optional<VoiceLabel> end_stretch();
  std::optional<VoiceLabel> label_rest();
  VoiceLabel take_window(std::int64_t start, std::int64_t end, std::int64_t label_end);
  VoiceClusters::Observation embed(std::int64_t start, std::int64_t end);
  const Window& window(std::size_t ago) const {
    return windows[(window_count - 1 - ago) % kWindowsKept];
  }
  std::size_t windows_kept() const { return std::min(window_count, kWindowsKept); }
  std::int64_t quietest_near(std::int64_t sample) const;
};

/// The first block, or one behind a gap: its frames are not joined to what was before.
void VoiceTracker::State::restart(std::int64_t start_sample) {
  offset = ((start_sample % kBlockSamples) + kBlockSamples) % kBlockSamples;
  next_block = block_of(start_sample);
  log_mel.reset();
  frames.clear(next_block);
}

void VoiceTracker::State::start_stretch(std::int64_t block) {
  speaking = true;
  speech_start = labelled = heard = block;
  next_window = block + kWindow;
}

VoiceClusters::Observation VoiceTracker::State::embed(std::int64_t start, std::int64_t end) {
  clusters.embedder().embed(frames.copy(start, end, mel), embedding);
  VoiceClusters::Observation observation;
  observation.embedding = embedding;
  observation.window_s = static_cast<float>(end - start) * kBlock_s;
  return observation;
}

/// Makes evidence of frames [start, end) and labels with it what has no label yet, to label_end.
VoiceLabel VoiceTracker::State::take_window(std::int64_t start,
                                            std::int64_t end,
                                            std::int64_t label_end) {
  VoiceClusters::Observation observation = embed(start, end);
  observation.gap_s =
      window_count == 0
          ? 0.0F
          : static_cast<float>(std::max<std::int64_t>(0, labelled - last_label)) * kBlock_s;
  const VoiceClusters::Assignment given = clusters.observe(follower, observation);
  const VoiceLabel label{
      sample_of(labelled), sample_of(label_end), given.voice, given.confidence, given.evidence};
  windows[window_count++ % kWindowsKept] = {
      label.start_sample, label.end_sample, given.evidence, given.confidence};
  labelled = last_label = label_end;
  heard = end;
  return label;
}

/// A stretch that is over will give no more windows, so an unknown voice in it is a new one if it
/// spoke long enough.
std::optional<VoiceLabel> VoiceTracker::State::end_stretch() {
  speaking = false;
  std::optional<VoiceLabel> label = label_rest();
  if (label && speech_end - speech_start >= kEnoughForVoice) {
    const int found = clusters.settle(follower);
    if (found >= 0) label->voice = found;
  }
  return label;
}

/// Labels the rest of a stretch from its last window; a rest too short to embed lengthens the label
/// before it, and a stretch too short has none.
std::optional<VoiceLabel> VoiceTracker::State::label_rest() {
  const std::int64_t end = std::min(speech_end, frames.next());
  const std::int64_t start = std::max({speech_start, end - kWindow, frames.first()});
  const bool has_window = heard > speech_start;
  if (has_window && end - heard < kTail) {
    Window& last = windows[(window_count - 1) % kWindowsKept];
    const VoiceLabel label{sample_of(labelled),
                           sample_of(end),
                           clusters.voice_of(last.evidence),
                           last.confidence,
                           last.evidence};
    last.end = label.end_sample;
    labelled = last_label = end;
    return label;
  }
  if (end - start < kFramesMin) return std::nullopt;
  return take_window(start, end, end);
}

/// A label's border is only known to half a hop; people change in the quietest moment around it.
std::int64_t VoiceTracker::State::quietest_near(std::int64_t sample) const {
  const std::int64_t block = block_of(sample);
  const std::int64_t first = std::max(block - kHop / 2, frames.first());
  const std::int64_t last = std::min(block + kHop / 2, frames.next());
  std::int64_t quietest = -1;
  float lowest = 0;
  for (std::int64_t i = first; i < last; ++i) {
    const float level = frames.level(i);
    if (quietest >= 0 && level >= lowest) continue;
    quietest = i;
    lowest = level;
  }
  return quietest < 0 ? sample : sample_of(quietest);
}

VoiceTracker::VoiceTracker(VoiceClusters& clusters) : state_(std::make_unique<State>(clusters)) {}
VoiceTracker::~VoiceTracker() = default;

std::optional<VoiceLabel> VoiceTracker::push(std::int64_t start_sample,
                                             std::span<const float, kBlockSamples> samples,
                                             bool speech) {
  State& state = *state_;
  std::optional<VoiceLabel> label;
  if (state.next_block < 0 || start_sample != state.sample_of(state.next_block)) {
    if (state.speaking) label = state.end_stretch();
    state.restart(start_sample);
  }
  const std::int64_t block = state.next_block++;
  state.log_mel.push(samples, [&](std::span<const float> mel_db) { state.frames.push(mel_db); });
  if (speech) {
    if (!state.speaking) state.start_stretch(block);
    state.speech_end = block + 1;
  }
  if (!state.speaking) return label;
  if (block + 1 - state.speech_end >= kPause) return state.end_stretch();
  // In a pause that may yet be bridged a window would be made of silence: it waits.
  if (!speech || state.frames.next() < state.next_window) return label;
  const std::int64_t end = state.frames.next();
  state.next_window = end + kHop;
  return state.take_window(end - kWindow, end, end - kWindow / 2 + kHop / 2);
}

namespace {

/// Seconds of evidence for each voice inside a stretch; -1 is the evidence that is withheld.
struct Votes {
  std::map<int, float> seconds;
  float covered_s = 0;

  void add(int voice, float length_s, float confidence) {
    seconds[voice] += length_s * confidence;
    covered_s += length_s;
  }

  VoiceLabel winner(std::int64_t start_sample, std::int64_t end_sample) const {
    VoiceLabel label{start_sample, end_sample, -1, 0.0F, -1};
    float most = 0;
    for (const auto& [voice, weight] : seconds) {
      if (weight <= most) continue;
      most = weight;
      label.voice = voice;
      label.confidence = weight / covered_s;
    }
    return label;
  }
};

float seconds_of(std::int64_t samples) {
  return static_cast<float>(samples) / (kBlockSamples / kBlock_s);
}

}  // namespace

VoiceLabel VoiceTracker::label(std::int64_t start_sample, std::int64_t end_sample) {
  State& state = *state_;
  Votes votes;
  for (std::size_t ago = 0; ago < state.windows_kept(); ++ago) {
    const Window& window = state.window(ago);
    const std::int64_t both =
        std::min(end_sample, window.end) - std::max(start_sample, window.start);
    if (both <= 0) continue;
    votes.add(state.clusters.voice_of(window.evidence), seconds_of(both), window.confidence);
  }
  // An utterance that is not over for the tracker, or too short for it: heard by itself.
  const std::int64_t end = std::min(state.block_of(end_sample), state.frames.next());
  const std::int64_t start =
      std::max({state.block_of(start_sample), end - kWindow, state.frames.first()});
  if (2 * votes.covered_s < seconds_of(end_sample - start_sample) && end - start >= kFramesMin) {
    const VoiceClusters::Observation observation = state.embed(start, end);
    const VoiceClusters::Assignment judged = state.clusters.judge(state.follower, observation);
    votes.add(judged.voice, observation.window_s, judged.confidence);
  }
  return votes.winner(start_sample, end_sample);
}

/// A change of voice counts when either side was heard for two windows, or for one long label.
std::optional<std::int64_t> VoiceTracker::change_point(std::int64_t start_sample,
                                                       std::int64_t end_sample) {
  const State& state = *state_;
  constexpr std::int64_t kLong = kBlockSamples * 75;
  const auto voice_ago = [&](std::size_t ago) {
    return state.clusters.voice_of(state.window(ago).evidence);
  };
  const auto inside = [&](std::size_t ago) {
    return ago < state.windows_kept() && state.window(ago).start < end_sample &&
           state.window(ago).end > start_sample;
  };
  const auto is_long = [&](std::size_t ago) {
    return state.window(ago).end - state.window(ago).start >= kLong;
  };
  const auto agree = [&](std::size_t ago, std::size_t neighbour) {
    return inside(neighbour) && voice_ago(neighbour) == voice_ago(ago);
  };
  for (std::size_t before = state.windows_kept(); before-- > 1;) {
    const std::size_t after = before - 1;
    if (!inside(before) || !inside(after)) continue;
    if (voice_ago(before) < 0 || voice_ago(after) < 0) continue;
    if (voice_ago(before) == voice_ago(after)) continue;
    if (!is_long(before) && !agree(before, before + 1)) continue;
    if (!is_long(after) && (after == 0 || !agree(after, after - 1))) continue;
    const std::int64_t change = state.quietest_near(state.window(before).end);
    if (change > start_sample && change < end_sample) return change;
  }
  return std::nullopt;
}

}  // namespace qylon::diarization

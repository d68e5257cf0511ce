#include "server/diarized_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "diarization/turn_smoothing.hpp"
#include "diarization/voice_tracker.hpp"
#include "media/block_delay.hpp"
#include "media/pcm_reader.hpp"
#include "media/segmenter.hpp"
#include "media/stream_graph.hpp"

namespace qylon::server {
namespace {

using diarization::Turn;

constexpr double kRate = media::kPipelineRateHz;
constexpr std::int64_t kShownWithin = media::kPipelineRateHz;  // "First label within 1 s."
constexpr std::int64_t kLater = 5 * media::kPipelineRateHz;
constexpr std::int64_t kLookEvery = media::kPipelineRateHz / 2;
constexpr std::size_t kPacketSamples = 320;  // 20 ms, as an uplink would send.

/// A label and what became of it.
struct Given {
  diarization::VoiceLabel label;
  int first = -1;
  int after5s = -1;
  int now = -1;
};

/// Where somebody speaks, as sorted stretches of samples that do not touch.
class Speech {
 public:
  explicit Speech(std::span<const Turn> turns) {
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    for (const Turn& turn : turns)
      all.emplace_back(std::llround(turn.start_s * kRate), std::llround(turn.end_s * kRate));
    std::sort(all.begin(), all.end());
    for (const auto& [start, end] : all) {
      if (!stretches_.empty() && start <= stretches_.back().second) {
        stretches_.back().second = std::max(stretches_.back().second, end);
      } else {
        stretches_.emplace_back(start, end);
      }
    }
  }

  bool empty() const { return stretches_.empty(); }
  bool at(std::int64_t sample) const {
    const auto next = std::upper_bound(
        stretches_.begin(), stretches_.end(), sample, [](std::int64_t value, const auto& stretch) {
          return value < stretch.second;
        });
    return next != stretches_.end() && sample >= next->first;
  }
  /// Calls `part(start, end)` for what of [start, end) is speech.
  template <typename Part>
  void inside(std::int64_t start, std::int64_t end, Part part) const {
    for (const auto& [from, to] : stretches_) {
      if (std::max(start, from) < std::min(end, to)) part(std::max(start, from), std::min(end, to));
    }
  }

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> stretches_;
};

/// The part of the live path behind the graph: what media::Captioner does for voices.
class Follower final : public media::BlockSink {
 public:
  Follower(std::shared_ptr<const diarization::EmbeddingModel> model, std::span<const Turn> speech)
      : speech_(speech),
        segmenter_(media::Segmenter::Options{}),
        clusters_(std::move(model)),
        tracker_(clusters_) {}

  void on_block(const media::Block& block) noexcept override {
    delay_.push(block, [this](const media::Block& whole) { follow(whole); });
  }

  DiarizedFile finish(const std::string& recording) {
    delay_.drain([this](const media::Block& block) { follow(block); });
    DiarizedFile out;
    look_again();
    settle_until(static_cast<std::int64_t>(given_.size()));
    out.relabels = relabels_;
    out.first = turns(recording, &Given::first);
    out.after5s = turns(recording, &Given::after5s);
    out.end = turns(recording, &Given::now);
    clusters_.finish();
    for (Given& given : given_) {
      const int voice = clusters_.voice_of(given.label.evidence);
      if (voice >= 0) given.now = voice;
    }
    out.postcall = turns(recording, &Given::now);
    return out;
  }

 private:
  void follow(const media::Block& block) {
    segmenter_.push(block.start_sample, block.speech_probability);
    const bool heard =
        segmenter_.open() && block.speech_probability >= media::Segmenter::Options{}.off;
    const bool speech = speech_.empty() ? heard : speech_.at(block.start_sample);
    const auto label = tracker_.push(block.start_sample, block.samples, speech);
    now_ = block.start_sample + media::kBlockSamples;
    if (label) given_.push_back({*label, label->voice, -1, label->voice});
    if (now_ % kLookEvery == 0) look_again();
  }

  /// Takes over what the voices think now of the labels that can still be asked about.
  void look_again() {
    constexpr std::size_t kAsked = 4096;
    for (std::size_t i = given_.size() - std::min(kAsked, given_.size()); i < given_.size(); ++i) {
      Given& given = given_[i];
      const int voice = clusters_.voice_of(given.label.evidence);
      if (voice < 0 || voice == given.now) continue;
      relabels_ += given.now >= 0 ? 1 : 0;
      if (given.first < 0 && now_ - given.label.end_sample <= kShownWithin) given.first = voice;
      given.now = voice;
    }
    std::int64_t settled = settled_;
    while (settled < static_cast<std::int64_t>(given_.size()) &&
           given_[static_cast<std::size_t>(settled)].label.end_sample + kLater <= now_) {
      ++settled;
    }
    settle_until(settled);
  }

  void settle_until(std::int64_t count) {
    for (; settled_ < count; ++settled_) {
      Given& given = given_[static_cast<std::size_t>(settled_)];
      given.after5s = given.now;
    }
  }

  std::vector<Turn> turns(const std::string& recording, int Given::*voice) const {
    std::vector<Turn> out;
    const auto add = [&](int number, std::int64_t start, std::int64_t end) {
      const std::string speaker = "s" + std::to_string(number + 1);
      const double start_s = static_cast<double>(start) / kRate;
      const double end_s = static_cast<double>(end) / kRate;
      if (!out.empty() && out.back().speaker == speaker && out.back().end_s >= start_s) {
        out.back().end_s = end_s;
      } else {
        out.push_back({recording, speaker, start_s, end_s});
      }
    };
    for (const Given& given : given_) {
      const int number = given.*voice;
      if (number < 0) continue;
      if (speech_.empty()) {
        add(number, given.label.start_sample, given.label.end_sample);
      } else {
        speech_.inside(given.label.start_sample,
                       given.label.end_sample,
                       [&](std::int64_t start, std::int64_t end) { add(number, start, end); });
      }
    }
    return speech_.empty() ? diarization::smooth_turns(std::move(out)) : out;
  }

  const Speech speech_;
  media::BlockDelay delay_;
  media::Segmenter segmenter_;
  diarization::VoiceClusters clusters_;
  diarization::VoiceTracker tracker_;
  std::vector<Given> given_;
  std::int64_t settled_ = 0;  // Labels that are five seconds old.
  std::int64_t now_ = 0;
  int relabels_ = 0;
};

}  // namespace

Result<DiarizedFile> diarize_file(const DiarizeJob& job,
                                  const std::shared_ptr<const diarization::EmbeddingModel>& model) {
  auto reader = media::PcmReader::create({.path = job.path});
  if (!reader) return reader.error();
  Follower follower(model, job.speech);
  auto graph = media::StreamGraph::create(
      {.codec = media::Codec::kPcmF32le, .sample_rate_hz = media::kPipelineRateHz, .channels = 1},
      follower);
  if (!graph) return graph.error();
  std::array<float, kPacketSamples> samples{};
  std::size_t total = 0;
  while (true) {
    const auto count = reader->read(samples);
    if (!count) return count.error();
    if (*count == 0) break;
    total += *count;
    const Status pushed = (*graph)->push(
        {reinterpret_cast<const std::uint8_t*>(samples.data()), *count * sizeof(float)});
    if (!pushed) return pushed.error();
  }
  (*graph)->silence(media::kPipelineRateHz);  // Lets the last words end.
  (*graph)->flush();
  DiarizedFile out = follower.finish(job.recording);
  out.audio_s = static_cast<double>(total) / kRate;
  return out;
}

}  // namespace qylon::server

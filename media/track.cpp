#include "media/track.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "media/packet.hpp"

namespace qylon::media {
namespace {

constexpr std::int64_t kSamplesPerMs = kPipelineRateHz / 1000;
// A pause on the wire this long ends the utterance; a sender that is merely late resumes sooner.
constexpr std::int64_t kWireSilenceUs = 1'500'000;
// Of a longer gap only this much silence runs through the graph, enough to end any utterance.
constexpr std::int64_t kGapThroughGraph = 2000 * kSamplesPerMs;

// The recorder itself tells what it has; this only spares its queue.
constexpr std::int64_t kRecordedTwiceMax = kPacketMsMax * 48;

// Rooms are louder than this through any microphone that works.
constexpr float kQuietDbfs = -70.0F;
constexpr int kQuietBlocks = 300;

constexpr std::int64_t samples_of_us(std::int64_t us) {
  return us * kSamplesPerMs / 1000;
}
constexpr std::int64_t position_48k_of(std::int64_t us) {
  return us * 48 / 1000;
}

}  // namespace

Result<std::unique_ptr<Track>> Track::create(const Options& options, Parts parts) {
  std::unique_ptr<Track> track(new Track(options, std::move(parts)));
  auto graph = StreamGraph::create(options.hello.format, *track);
  if (!graph) return graph.error();
  track->graph_ = *std::move(graph);
  track->switch_clock(options.clock, options.clock_zero_ms);
  return track;
}

Track::Track(const Options& options, Parts parts) : options_(options), parts_(std::move(parts)) {}

void Track::switch_clock(ClockId clock, std::int64_t clock_zero_ms) {
  if (jitter_) jitter_->flush();
  options_.clock = clock;
  options_.clock_zero_ms = clock_zero_ms;
  align_ = true;
  carried_us_ = correction_us();
  drift_ = {};
  jitter_ = std::make_unique<JitterBuffer>(
      options_.jitter,
      [format = options_.hello.format](const UplinkFrame& frame) {
        return packet_samples(format, frame.payload, kMicrosecondRateHz);
      },
      [this](JitterBuffer::Output&& output) { deliver(std::move(output)); });
  state_->next_seq = 0;
  state_->durable.restart(0);
}

void Track::resume(JournalledAudio&& audio, std::int64_t now_us) {
  const auto meeting_ms = [this](const UplinkFrame& frame) {
    return options_.clock_zero_ms + static_cast<std::int64_t>(frame.capture_us) / 1000;
  };
  std::ranges::stable_sort(audio.frames, {}, &UplinkFrame::seq);
  const UplinkFrame& newest = audio.frames.back();
  const std::int64_t from_ms =
      std::max(audio.final_until_ms, meeting_ms(newest) - kHeardAgainMsMax);
  const auto first = std::ranges::find_if(
      audio.frames, [&](const UplinkFrame& frame) { return meeting_ms(frame) >= from_ms; });
  record_again(audio.frames.begin(), first);
  jitter_->resume_at(first == audio.frames.end() ? newest.seq + 1 : first->seq);
  for (auto frame = first; frame != audio.frames.end(); ++frame)
    insert(std::move(*frame), now_us);
  drift_ = {};  // What was read from the disk did not arrive now.
  note_settled();
  state_->durable.restart(jitter_->next_seq());
}

/// Audio that has its finals, but that the recorder had not written when the server was killed.
void Track::record_again(Frames::iterator from, Frames::iterator end) {
  if (parts_.recorder == nullptr) return;
  const std::int64_t end_48k = parts_.recorder->end_48k(parts_.meeting, options_.hello.track);
  for (; from != end; ++from) {
    UplinkFrame& frame = *from;
    const std::int64_t at_us =
        options_.clock_zero_ms * 1000 + static_cast<std::int64_t>(frame.capture_us);
    const std::int64_t position_48k = position_48k_of(at_us);
    if (position_48k + kRecordedTwiceMax >= end_48k && !frame.payload.empty())
      record(position_48k, std::move(frame.payload));
  }
}

bool Track::insert(UplinkFrame&& frame, std::int64_t now_us) {
  last_frame_us_ = now_us;
  wire_silent_ = false;
  const bool ends = frame.ends_track();
  const auto inserted = jitter_->insert(std::move(frame), now_us);
  switch (inserted) {
    case JitterBuffer::Inserted::kTaken:
      parts_.counts.frames.add();
      break;
    case JitterBuffer::Inserted::kDuplicate:
      parts_.counts.duplicates.add();
      break;
    case JitterBuffer::Inserted::kLate:
      parts_.counts.late.add();
      break;
    case JitterBuffer::Inserted::kJump:
      parts_.counts.jumps.add();
      state_->jumped = true;
      break;
  }
  const bool taken = inserted == JitterBuffer::Inserted::kTaken;
  if (ends && taken) flush();
  note_settled();
  return taken;
}

void Track::note_settled() {
  state_->next_seq = jitter_->next_seq();
  state_->durable.settle(jitter_->next_seq());
}

void Track::tick(std::int64_t now_us) {
  jitter_->tick(now_us);
  note_settled();
  if (wire_silent_ || now_us - last_frame_us_ < kWireSilenceUs) return;
  wire_silent_ = true;
  flush();
}

void Track::flush() {
  jitter_->flush();
  note_settled();
  if (!captioner_) return;
  graph_->flush();
  delay_.drain([this](const Block& block) { captioner_->on_block(block); });
  captioner_->flush();
}

void Track::deliver(JitterBuffer::Output&& output) {
  switch (output.kind) {
    case JitterBuffer::Output::Kind::kFrame:
      deliver_frame(output.frame, output.arrived_us);
      return;
    case JitterBuffer::Output::Kind::kLost: {
      parts_.counts.lost_ms.add(static_cast<std::uint64_t>(output.duration_us / 1000));
      record_from_us_ += output.duration_us;
      pass_loss(samples_of_us(output.duration_us), output.next);
      return;
    }
    case JitterBuffer::Output::Kind::kGap:
      parts_.counts.gap_ms.add(static_cast<std::uint64_t>(output.duration_us / 1000));
      record_from_us_ += output.duration_us;
      pass_gap(samples_of_us(output.duration_us));
      return;
  }
}

void Track::deliver_frame(const UplinkFrame& frame, std::int64_t arrived_us) {
  if (frame.payload.empty()) return;  // The bare end flag.
  if (align_) align_to(frame.capture_us);
  drift_.observe(sample_position() * 1000 / kSamplesPerMs, arrived_us);
  captioner_->set_zero_ms(zero_ms_ + correction_us() / 1000);
  const Status decoded = graph_->push(frame.payload);
  if (!decoded) {
    parts_.counts.undecodable.add();
    return;
  }
  if (parts_.recorder == nullptr) return;
  record(record_position_48k() + correction_us() * 48 / 1000, frame.payload);
  const AudioFormat& format = options_.hello.format;
  recorded_samples_ += packet_samples(format, frame.payload, format.sample_rate_hz);
}

std::int64_t Track::record_position_48k() const noexcept {
  return position_48k_of(record_from_us_) +
         recorded_samples_ * 48'000 / options_.hello.format.sample_rate_hz;
}

/// The recording lies on the meeting's clock, in samples at 48 kHz.
void Track::record(std::int64_t position_48k, std::vector<std::uint8_t> packet) {
  parts_.recorder->write(
      parts_.meeting, options_.hello.track, options_.hello.format, position_48k, std::move(packet));
}

/// First frame of a clock, or after a long gap: the track begins here, or jumps here.
void Track::align_to(std::uint64_t capture_us) {
  align_ = false;
  // In the track's own time: what is carried over from earlier clocks is added to it later.
  const std::int64_t start_us = options_.clock_zero_ms * 1000 +
                                static_cast<std::int64_t>(capture_us) - jitter_->skew_us() -
                                carried_us_;
  const std::int64_t start_ms = start_us / 1000;
  if (position_48k_of(start_ms * 1000) > record_position_48k()) {
    record_from_us_ = start_ms * 1000;
    recorded_samples_ = 0;
  }
  if (captioner_) {
    graph_->flush();  // Blocks are whole on both sides of the jump.
    const std::int64_t jump = (start_ms - zero_ms_) * kSamplesPerMs - sample_position();
    skipped_samples_ += std::max<std::int64_t>(jump, 0);
    return;
  }
  zero_ms_ = std::max<std::int64_t>(start_ms, 0);
  Captioner::Options options;
  options.track = options_.hello.track;
  options.zero_ms = zero_ms_;
  captioner_ = parts_.make_captioner(options);
}

void Track::pass_loss(std::int64_t samples, std::span<const std::uint8_t> next) {
  graph_->conceal(std::min(samples, kGapThroughGraph), next);
  align_ = align_ || samples > kGapThroughGraph;
}

void Track::pass_gap(std::int64_t samples) {
  graph_->silence(std::min(samples, kGapThroughGraph));
  align_ = align_ || samples > kGapThroughGraph;
}

void Track::on_block(const Block& block) noexcept {
  level_power_ += std::pow(10.0, static_cast<double>(block.rms_dbfs) / 10.0);
  level_peak_dbfs_ = std::max(level_peak_dbfs_, block.peak_dbfs);
  ++level_blocks_;
  level_clipped_ = level_clipped_ || block.clipped;
  newest_lufs_ = block.momentary_lufs;
  quiet_blocks_ = block.peak_dbfs > kQuietDbfs ? 0 : std::min(quiet_blocks_ + 1, kQuietBlocks);
  block_end_ = block.start_sample + kBlockSamples;
  state_->heard_ms = block_end_ / kSamplesPerMs;
  if (!captioner_) return;
  Block placed = block;
  placed.start_sample += skipped_samples_;
  delay_.push(placed, [this](const Block& whole) { captioner_->on_block(whole); });
  level_speech_ = captioner_->speaking();
}

std::int64_t Track::position_ms() const noexcept {
  if (!captioner_) return 0;
  return zero_ms_ + sample_position() / kSamplesPerMs + correction_us() / 1000;
}

TrackLevel Track::take_level() {
  TrackLevel level{.track = options_.hello.track};
  if (level_blocks_ > 0) {
    const double mean = level_power_ / level_blocks_;
    level.rms_dbfs = static_cast<float>(10.0 * std::log10(std::max(mean, 1e-10)));
    level.peak_dbfs = level_peak_dbfs_;
    level.lufs = newest_lufs_;
    level.speech = level_speech_;
    level.clipped = level_clipped_;
  }
  level.silent = quiet_blocks_ == kQuietBlocks;
  level_clipped_ = false;
  level_power_ = 0.0;
  level_peak_dbfs_ = -100.0F;
  level_blocks_ = 0;
  return level;
}

}  // namespace qylon::media

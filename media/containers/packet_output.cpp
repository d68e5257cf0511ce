#include "media/containers/packet_output.hpp"

#include <algorithm>

#include "media/packet.hpp"

namespace qylon::media {
namespace {

constexpr std::int64_t kPauseUsMin = 60'000;
// The jitter buffer takes jumps of up to 10 s; a longer one is a broken clock, not a pause.
constexpr std::int64_t kPauseUsMax = 9'000'000;
constexpr int kPacketsPerSecond = 50;

int unit_rate_hz(const AudioFormat& format) {
  return format.codec == Codec::kOpus ? 48000 : format.sample_rate_hz;
}

}  // namespace

PacketOutput::PacketOutput(PacketSink& sink, const Resume& resume)
    : sink_(sink), base_us_(resume.time_us), skip_units_(resume.skip_units) {}

void PacketOutput::open(const AudioFormat& format) {
  format_ = format;
  packet_bytes_ = sample_frame_bytes(format) *
                  static_cast<std::size_t>(format.sample_rate_hz / kPacketsPerSecond);
  sink_.on_format(format);
}

std::int64_t PacketOutput::time_us() const noexcept {
  if (!format_) return base_us_;
  return base_us_ + static_cast<std::int64_t>(units_) * 1'000'000 / unit_rate_hz(*format_);
}

void PacketOutput::opus(std::span<const std::uint8_t> packet, std::optional<std::int64_t> pts_us) {
  const std::int64_t samples = packet_samples(*format_, packet, 48000);
  if (samples == 0) return;  // No Opus packet has no length; nothing can be heard of it.
  if (pts_us && expected_pts_us_) {
    const std::int64_t pause_us = *pts_us - *expected_pts_us_;
    if (pause_us > kPauseUsMin && pause_us < kPauseUsMax) base_us_ += pause_us;
  }
  if (pts_us) expected_pts_us_ = *pts_us + samples * 1000 / 48;
  if (units_ >= skip_units_) sink_.on_packet(packet, time_us());
  units_ += static_cast<std::uint64_t>(samples);
}

void PacketOutput::pcm(std::span<const std::uint8_t> samples) {
  if (!waiting_.empty()) {
    const std::size_t missing = std::min(packet_bytes_ - waiting_.size(), samples.size());
    waiting_.insert(waiting_.end(), samples.begin(), samples.begin() + static_cast<long>(missing));
    samples = samples.subspan(missing);
    if (waiting_.size() < packet_bytes_) return;
    put_pcm(waiting_);
    waiting_.clear();
  }
  while (samples.size() >= packet_bytes_) {
    put_pcm(samples.first(packet_bytes_));
    samples = samples.subspan(packet_bytes_);
  }
  waiting_.assign(samples.begin(), samples.end());
}

void PacketOutput::put_pcm(std::span<const std::uint8_t> packet) {
  const std::size_t frame_bytes = sample_frame_bytes(*format_);
  const std::uint64_t samples = packet.size() / frame_bytes;
  const std::uint64_t known =
      skip_units_ > units_ ? std::min(skip_units_ - units_, samples) : std::uint64_t{0};
  units_ += known;
  if (known < samples) sink_.on_packet(packet.subspan(known * frame_bytes), time_us());
  units_ += samples - known;
}

void PacketOutput::finish() {
  if (!waiting_.empty()) put_pcm(waiting_);
  waiting_.clear();
}

}  // namespace qylon::media

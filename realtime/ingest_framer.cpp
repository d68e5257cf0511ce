#include "realtime/ingest_framer.hpp"

#include <algorithm>

namespace qylon::realtime {
namespace {

// The shortest packet that an uplink may send.
constexpr std::size_t kPacketsPerSecondMax = 400;
constexpr std::size_t kPacketsPerSecond = 50;

bool is_pcm(const media::AudioFormat& format) {
  return format.codec == media::Codec::kPcmS16le || format.codec == media::Codec::kPcmF32le;
}

std::size_t packet_bytes(const media::AudioFormat& format) {
  return static_cast<std::size_t>(format.sample_rate_hz) / kPacketsPerSecond *
         media::sample_frame_bytes(format);
}

}  // namespace

IngestFramer::IngestFramer(TrackId track, const media::AudioFormat& format)
    : track_(track),
      format_(format),
      is_pcm_(is_pcm(format)),
      packet_bytes_(is_pcm_ ? packet_bytes(format) : media::kUplinkPayloadBytesMax) {}

media::UplinkFrame IngestFramer::make_frame(std::string_view payload) {
  media::UplinkFrame frame;
  frame.track = track_;
  frame.seq = seq_++;
  frame.payload.assign(payload.begin(), payload.end());
  if (is_pcm_) {
    frame.capture_us = samples_ * 1'000'000 / static_cast<std::uint64_t>(format_.sample_rate_hz);
    samples_ += payload.size() / media::sample_frame_bytes(format_);
  }
  return frame;
}

void IngestFramer::feed(std::string_view bytes, std::deque<media::UplinkFrame>& frames) {
  while (!is_pcm_ && !bytes.empty()) {
    const std::size_t piece = std::min(bytes.size(), packet_bytes_);
    frames.push_back(make_frame(bytes.substr(0, piece)));
    bytes.remove_prefix(piece);
  }
  while (!bytes.empty()) {
    const std::size_t wanted = std::min(bytes.size(), packet_bytes_ - rest_.size());
    rest_.append(bytes.substr(0, wanted));
    bytes.remove_prefix(wanted);
    if (rest_.size() < packet_bytes_) return;
    frames.push_back(make_frame(rest_));
    rest_.clear();
  }
}

void IngestFramer::finish(std::deque<media::UplinkFrame>& frames) {
  if (is_pcm_) {
    rest_.resize(rest_.size() - rest_.size() % media::sample_frame_bytes(format_));
    const std::size_t shortest = packet_bytes_ * kPacketsPerSecond / kPacketsPerSecondMax;
    if (rest_.size() > shortest) frames.push_back(make_frame(rest_));
    rest_.clear();
  }
  media::UplinkFrame end = make_frame({});
  end.flags = media::kUplinkFlagEnd;
  frames.push_back(std::move(end));
}

}  // namespace qylon::realtime

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/audio_format.hpp"

namespace qylon::media {

/// Takes what is found in a stream of bytes.
class PacketSink {
 public:
  PacketSink() = default;
  virtual ~PacketSink() = default;
  PacketSink(const PacketSink&) = delete;
  PacketSink& operator=(const PacketSink&) = delete;
  PacketSink(PacketSink&&) = delete;
  PacketSink& operator=(PacketSink&&) = delete;

  /// Once, before the first packet: kOpus or kPcmS16le.
  virtual void on_format(const AudioFormat& format) = 0;
  /// `time_us`: of the packet's first sample, since the stream's.
  virtual void on_packet(std::span<const std::uint8_t> packet, std::int64_t time_us) = 0;
};

/// Turns decoded samples into PCM packets of 20 ms, and gives every packet its time.
///
/// Time    : sums of durations, so that it never drifts. Opus also follows a container's timestamps
///           over a pause (DTX) of 60 ms to 9 s, which a sum of durations cannot know.
/// Units   : samples, at the rate of the PCM or at 48 kHz for Opus.
/// Threads : one thread at a time.
class PacketOutput {
 public:
  /// Where an earlier reader of the same stream stopped.
  struct Resume {
    std::int64_t time_us = 0;      ///< Of the first sample that comes.
    std::uint64_t skip_units = 0;  ///< This much of what comes has been put out already.
  };
  PacketOutput(PacketSink& sink, const Resume& resume);

  /// REQUIRES: 1 or 2 channels, and 8..48 kHz for PCM.
  void open(const AudioFormat& format);
  /// `pts_us`: the container's timestamp, nothing when it has none.
  void opus(std::span<const std::uint8_t> packet, std::optional<std::int64_t> pts_us);
  /// Interleaved samples, whole over all channels.
  void pcm(std::span<const std::uint8_t> samples);
  /// Puts out what is left of less than 20 ms.
  void finish();

  const std::optional<AudioFormat>& format() const noexcept { return format_; }
  std::uint64_t units() const noexcept { return units_; }  ///< Found so far, put out or not.
  std::int64_t time_us() const noexcept;                   ///< At units().

 private:
  void put_pcm(std::span<const std::uint8_t> packet);

  PacketSink& sink_;
  std::optional<AudioFormat> format_;
  std::int64_t base_us_;
  std::uint64_t skip_units_;
  std::uint64_t units_ = 0;
  std::optional<std::int64_t> expected_pts_us_;
  std::vector<std::uint8_t> waiting_;  // PCM of less than one packet.
  std::size_t packet_bytes_ = 0;
};

}  // namespace qylon::media

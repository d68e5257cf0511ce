#pragma once
/// Cuts the body of an upload into the frames of its track.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "core/ids.hpp"
#include "media/audio_format.hpp"
#include "media/uplink_frame.hpp"

namespace qylon::realtime {

/// PCM becomes packets of 20 ms, timed by their samples; a stream goes on as pieces, whose times
/// are in the stream.
///
/// Cost    : one copy of the bytes.
/// Threads : one object per upload, its net thread.
class IngestFramer {
 public:
  IngestFramer(TrackId track, const media::AudioFormat& format);

  void feed(std::string_view bytes, std::deque<media::UplinkFrame>& frames);
  /// What waits for more, as far as a packet can hold it, and the frame that ends the track.
  void finish(std::deque<media::UplinkFrame>& frames);
  /// Frames so far.
  std::uint64_t count() const noexcept { return seq_; }

 private:
  media::UplinkFrame make_frame(std::string_view payload);

  const TrackId track_;
  const media::AudioFormat format_;
  const bool is_pcm_;
  const std::size_t packet_bytes_;  // Of PCM.
  std::string rest_;                // Less than a packet of PCM.
  std::uint64_t seq_ = 0;
  std::uint64_t samples_ = 0;  // Of PCM, per channel.
};

}  // namespace qylon::realtime

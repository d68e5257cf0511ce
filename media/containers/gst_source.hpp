#pragma once

#include <memory>

#include "media/containers/byte_source.hpp"
#include "media/containers/packet_output.hpp"

namespace qylon::media {

/// A GStreamer demuxer or parser pushed from the caller's thread, and behind it the decoder that
/// its caps ask for; Opus is not decoded. PCM comes out at the stream's own rate and channels, or
/// at the nearest of those that a track takes. REQUIRES: load_stream_plugins(); a stream codec
/// other than kAuto and kOgg. Errors: kUnavailable when an element is missing.
Result<std::unique_ptr<ByteSource>> make_gst_source(const AudioFormat& stream,
                                                    PacketOutput& output);

}  // namespace qylon::media

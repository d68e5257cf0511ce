#pragma once

#include <memory>

#include "media/containers/byte_source.hpp"
#include "media/containers/packet_output.hpp"

namespace qylon::media {

/// Opus from Ogg. (GStreamer's oggdemux starts a thread for every stream, so libogg finds the
/// pages.) Source : RFC 7845 sections 3 and 5 (two header packets), RFC 3533 (pages).
std::unique_ptr<ByteSource> make_ogg_source(PacketOutput& output);

}  // namespace qylon::media

#pragma once
/// The JSON of /v1/ingest (docs/PROTOCOL.md).

#include <cstdint>
#include <string>
#include <string_view>

#include "core/ids.hpp"

namespace qylon::realtime {

/// What an upload has brought.
struct IngestTally {
  MeetingId meeting;
  TrackId track = 0;
  std::int64_t heard_ms = 0;  ///< Audio decoded, gaps included.
  std::uint64_t packets = 0;  ///< Frames handed to the track.
  std::uint64_t bytes = 0;    ///< Of the body.
  bool durable = false;       ///< All of it is on disk.
};
std::string encode_ingest_answer(const IngestTally& tally);

/// Body of POST /api/meetings; an empty title is left out.
std::string encode_new_meeting(std::string_view title);

}  // namespace qylon::realtime

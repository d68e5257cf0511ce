#pragma once
/// What a live meeting says, as the text frames of docs/PROTOCOL.md. Encoded once, sent to all.

#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/transcript.hpp"
#include "media/meeting_sink.hpp"

namespace qylon::realtime {

/// Output  : one JSON object, valid UTF-8 whatever the input (bad bytes become U+FFFD), keys always
///           in the same order, so that equal captions give equal bytes.
/// Threads : pure functions.
std::string encode_caption(const Caption& caption);
std::string encode_status(const media::MeetingStatus& status);
std::string encode_levels(MeetingId meeting, const std::vector<media::TrackLevel>& levels);

}  // namespace qylon::realtime

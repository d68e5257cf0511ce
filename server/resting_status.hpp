#pragma once
/// What can be said of a meeting that is not in memory.

#include "core/transcript.hpp"
#include "media/meeting_sink.hpp"

namespace qylon::server {

inline media::MeetingStatus resting_status(const MeetingInfo& info) {
  media::MeetingStatus status;
  status.meeting = info.id;
  status.state = info.state;
  status.captions = "full";
  return status;
}

}  // namespace qylon::server

#pragma once

#include <functional>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "media/meeting.hpp"

namespace qylon::media {

/// Where a meeting that is not live yet is looked up. server/ implements it over PostgreSQL.
/// Threads: safe from any thread, never blocks.
class MeetingDirectory {
 public:
  using Found = std::function<void(Result<MeetingRecord>)>;

  MeetingDirectory() = default;
  virtual ~MeetingDirectory() = default;
  MeetingDirectory(const MeetingDirectory&) = delete;
  MeetingDirectory& operator=(const MeetingDirectory&) = delete;
  MeetingDirectory(MeetingDirectory&&) = delete;
  MeetingDirectory& operator=(MeetingDirectory&&) = delete;

  /// Calls `found` once, from any thread. Errors: kNotFound, kUnavailable, kOverloaded.
  virtual void find(MeetingId meeting, Found found) = 0;
};

}  // namespace qylon::media

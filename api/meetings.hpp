#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/core/route_table.hpp"
#include "core/clock.hpp"
#include "core/meeting_control.hpp"

namespace qylon::storage {
class Database;
}

namespace qylon::api {

/// The REST routes below /api/meetings, as docs/PROTOCOL.md lists them.
///
/// Threads : the routes from any thread; they never block. Replies come on database threads, on the
///           thread that ends a meeting, or on the one thread owned here, which gives up waiting
///           for an end.
/// Bounds  : database work is refused with 503 when the database's queue is full; at most
///           `ends_max` requests wait for a meeting's end, more get 503.
/// Errors  : problem+json (RFC 9457) that names what was wrong and what would be right.
class MeetingsApi {
 public:
  struct Options {
    std::string recordings_dir;         ///< Recordings lie in {dir}/{meeting}/{track}.opus.
    std::int64_t end_wait_ms = 20'000;  ///< How long an end is waited for before 202. 0..60000.
    int ends_max = 256;
    /// Why no meeting is made now, e.g. for want of disk; without it one always is.
    std::function<Status()> takes_new = nullptr;
  };
  /// Must outlive the object; database and clock also the ends that `control` completes later.
  struct Parts {
    storage::Database& database;
    MeetingControl& control;
    const Clock& clock;
  };

  MeetingsApi(Options options, const Parts& parts);
  /// Waits for the database jobs that are under way (about as long as a statement may take).
  ~MeetingsApi();
  MeetingsApi(const MeetingsApi&) = delete;
  MeetingsApi& operator=(const MeetingsApi&) = delete;
  MeetingsApi(MeetingsApi&&) = delete;
  MeetingsApi& operator=(MeetingsApi&&) = delete;

  std::vector<Route> routes() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // Shared with the jobs and ends that are still under way.
};

}  // namespace qylon::api

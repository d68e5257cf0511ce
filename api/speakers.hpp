#pragma once

#include <vector>

#include "api/core/database_jobs.hpp"
#include "api/core/route_table.hpp"
#include "core/meeting_control.hpp"

namespace qylon::api {

/// The REST routes that say who spoke in a meeting, as docs/PROTOCOL.md lists them: list, rename,
/// merge, split, give captions to a speaker, undo. Corrections become finals of the meeting.
///
/// Threads : the routes from any thread; they never block. Replies come on database threads or on
/// the
///           meeting's shard.
/// Errors  : problem+json (RFC 9457) that names what was wrong and what would be right.
class SpeakersApi {
 public:
  /// Must outlive the requests that are under way.
  struct Parts {
    storage::Database& database;
    MeetingControl& control;
  };
  /// The destructor waits for the database jobs that are under way.
  explicit SpeakersApi(const Parts& parts) : parts_(parts), jobs_(parts.database) {}

  /// Their handlers must not be called after the object is gone.
  std::vector<Route> routes() const;

 private:
  struct Asked;
  using Handler = void (SpeakersApi::*)(const Asked&) const;
  /// Reads path and body, then calls `handler`.
  void take(const CallPtr& call, HttpReply reply, Handler handler) const;
  void list(const Asked& asked) const;
  void split(const Asked& asked) const;
  void rename(const Asked& asked) const;
  void merge(const Asked& asked) const;
  void relabel(const Asked& asked) const;
  void undo(const Asked& asked) const;
  void correct(const Asked& asked, SpeakerChange change) const;
  /// Runs `job` on a database thread, or refuses what was asked.
  void submit(const Asked& asked, storage::Database::Job job) const;

  const Parts parts_;
  mutable DatabaseJobs jobs_;
};

}  // namespace qylon::api

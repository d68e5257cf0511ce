#pragma once

#include <functional>
#include <string_view>

#include "core/access.hpp"
#include "core/http.hpp"
#include "core/meeting_control.hpp"
#include "core/sync.hpp"

namespace qylon::storage {
class Database;
class Session;
}  // namespace qylon::storage

namespace qylon::api {

/// The REST routes that say who spoke in a meeting, as docs/PROTOCOL.md lists them: list, rename,
/// merge, split, give captions to a speaker, undo. Corrections become finals of the meeting.
///
/// Threads : handle() from any thread; it never blocks. Replies come on database threads or on the
///           meeting's shard.
/// Errors  : problem+json (RFC 9457) that names what was wrong and what would be right.
class SpeakersApi final : public HttpHandler {
 public:
  /// Must outlive the requests that are under way.
  struct Parts {
    storage::Database& database;
    const Access& access;
    MeetingControl& control;
  };
  explicit SpeakersApi(const Parts& parts) : parts_(parts) {}
  /// Waits for the database jobs that are under way.
  ~SpeakersApi() override;
  SpeakersApi(const SpeakersApi&) = delete;
  SpeakersApi& operator=(const SpeakersApi&) = delete;
  SpeakersApi(SpeakersApi&&) = delete;
  SpeakersApi& operator=(SpeakersApi&&) = delete;

  /// The path is one of these routes'.
  static bool takes(std::string_view path) noexcept;
  void handle(HttpRequest request, HttpReply reply) override;

 private:
  struct Call;
  struct Route;
  void list(const Call& call) const;
  void split(const Call& call) const;
  void rename(const Call& call) const;
  void merge(const Call& call) const;
  void relabel(const Call& call) const;
  void undo(const Call& call) const;
  void correct(const Call& call, SpeakerChange change) const;
  /// Runs `job` on a database thread, or refuses the call.
  void submit(const Call& call, std::function<void(storage::Session&)> job) const
      QYLON_EXCLUDES(jobs_mutex_);

  const Parts parts_;
  mutable Mutex jobs_mutex_;
  mutable Condition jobs_done_;
  mutable int jobs_ QYLON_GUARDED_BY(jobs_mutex_) = 0;
};

}  // namespace qylon::api

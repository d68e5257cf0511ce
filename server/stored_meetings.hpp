#pragma once

#include "media/meeting_directory.hpp"
#include "realtime/history.hpp"
#include "server/publisher.hpp"
#include "storage/database.hpp"

namespace qylon::server {

/// What PostgreSQL knows of meetings, for the two that ask: shards that open one, and subscribers
/// that missed something.
///
/// Threads : every method is safe from any thread and does not block; answers come on database
///           threads, or at once when their queue is full (kOverloaded).
class StoredMeetings final : public media::MeetingDirectory, public realtime::History {
 public:
  StoredMeetings(storage::Database& database, const Publisher& publisher)
      : database_(database), publisher_(publisher) {}

  void find(MeetingId meeting, Found found) override;
  void read(MeetingId meeting,
            std::uint64_t after_offset,
            std::size_t limit,
            Answer answer) override;

 private:
  storage::Database& database_;
  const Publisher& publisher_;
};

}  // namespace qylon::server

#pragma once

#include <string>
#include <utility>

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
  /// `journal_dir` holds the audio that a killed server took and did not make captions of.
  StoredMeetings(storage::Database& database, const Publisher& publisher, std::string journal_dir)
      : database_(database), publisher_(publisher), journal_dir_(std::move(journal_dir)) {}

  void find(MeetingId meeting, Found found) override;
  void read(MeetingId meeting,
            std::uint64_t after_offset,
            std::size_t limit,
            Answer answer) override;

 private:
  storage::Database& database_;
  const Publisher& publisher_;
  const std::string journal_dir_;
};

}  // namespace qylon::server

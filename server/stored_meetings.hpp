#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "media/meeting_directory.hpp"
#include "realtime/history.hpp"
#include "server/publisher.hpp"
#include "storage/database.hpp"
#include "storage/journal.hpp"

namespace qylon::server {

/// What PostgreSQL and the journal know of meetings, for the two that ask: shards that open one,
/// and subscribers that missed something.
///
/// New    : a meeting without audio is not opened (kOverloaded) while the journal takes no new
///          streams; one that has begun goes on.
///
/// Threads : every method is safe from any thread and does not block; answers come on database
///           threads, or at once when their queue is full (kOverloaded).
class StoredMeetings final : public media::MeetingDirectory, public realtime::History {
 public:
  StoredMeetings(storage::Database& database,
                 const storage::Journal& journal,
                 const Publisher& publisher)
      : database_(database), journal_(journal), publisher_(publisher) {}

  void find(MeetingId meeting, Found found) override;
  void read(MeetingId meeting,
            std::uint64_t after_offset,
            std::size_t limit,
            Answer answer) override;

 private:
  Result<realtime::History::Page> load_page(storage::Session& session,
                                            MeetingId meeting,
                                            std::uint64_t after_offset,
                                            std::size_t limit) const;

  storage::Database& database_;
  const storage::Journal& journal_;
  const Publisher& publisher_;
};

}  // namespace qylon::server

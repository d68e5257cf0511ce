#pragma once
/// The one way from a live meeting to everyone who watches it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/ids.hpp"

namespace qylon::realtime {

enum class Topic : std::uint8_t { kCaptions, kStatus, kLevels };

/// One encoded message on its way to the subscribers of (meeting, topic).
struct Publication {
  MeetingId meeting;
  Epoch epoch;
  Topic topic = Topic::kCaptions;
  std::shared_ptr<const std::string> json;  ///< realtime/caption_json.hpp; at most 64 KiB.
  std::optional<std::uint64_t> offset;      ///< Finals only; rises by one.
  /// Not 0: a newer message of the same meeting, topic and key replaces an older one that still
  /// waits (interims and the final that settles them: the segment; status and levels: any
  /// constant). 0: never replaced.
  std::uint64_t conflation_key = 0;
};

/// Publishes to every net thread of an EdgeServer, which owns it.
///
/// Threads : every method is safe from any thread and does not block.
/// Bounds  : per live meeting the last kRingFinals finals or kRingBytes; kRingMeetings meetings,
///           the one idle longest is forgotten; per net thread kMailboxPublications waiting
///           messages. When a mailbox is full an interim, status or level is dropped and counted;
///           a final stays in the ring and the thread's subscribers fetch it from there, or from
///           History when the ring has moved on. No final is ever skipped.
class Hub {
 public:
  static constexpr std::size_t kRingFinals = 1000;
  static constexpr std::size_t kRingBytes = 1 << 20;
  static constexpr std::size_t kRingMeetings = 1024;
  static constexpr std::size_t kMailboxPublications = 4096;

  Hub() = default;
  virtual ~Hub() = default;
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;
  Hub(Hub&&) = delete;
  Hub& operator=(Hub&&) = delete;

  virtual void publish(Publication publication) = 0;
  /// Closes every uplink that feeds the meeting with 4506.
  virtual void close_meeting_uplinks(MeetingId meeting) = 0;
  /// Forgets the meeting's ring: everything in it can be read from History. Subscribers stay.
  virtual void retire_meeting(MeetingId meeting) = 0;
};

}  // namespace qylon::realtime

#pragma once
/// Where uplink sessions (realtime/) hand audio to the shards (media/).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "media/audio_format.hpp"
#include "media/uplink_frame.hpp"

namespace qylon::media {

/// What a hello says about one track.
struct TrackHello {
  TrackId track = 0;
  AudioFormat format;
  std::string label;    ///< For people: "Room microphone". May be empty.
  std::string speaker;  ///< Not empty: the track carries this one person; captions bear the name.
};

/// What a hello says about all its tracks.
struct UplinkHello {
  MeetingId meeting;
  ClockId clock;  ///< Same id after a reconnect: same capture clock, same sequence numbers.
  /// Meeting time of the clock's zero, when the sender knows it; else the server anchors the first
  /// frame at the meeting's present.
  std::optional<std::int64_t> clock_start_ms;
  std::vector<TrackHello> tracks;
};

/// One track of a live meeting, held by the connection that feeds it. A newer connection for the
/// same track takes it over: the older one then gets kSuperseded from post().
///
/// Threads: post() on the owner's net thread; the watermarks from any thread.
class TrackUplink {
 public:
  enum class Posted : std::uint8_t {
    kAccepted,     ///< Taken (or a duplicate, dropped without harm).
    kBusy,         ///< The shard's mailbox is full: stop reading, offer the same frame again later.
    kSuperseded,   ///< A newer connection owns the track: close 4501.
    kEnded,        ///< The meeting has ended: close 4506.
    kBadSequence,  ///< seq or capture_us is more than the allowed jump ahead: close 4503.
    kUnknownPosition,  ///< A stream cannot be taken up in its middle: close 4004.
    kUndecodable,      ///< The stream cannot be unpacked, refusal() says why: close 4504.
  };

  TrackUplink() = default;
  virtual ~TrackUplink() = default;
  TrackUplink(const TrackUplink&) = delete;
  TrackUplink& operator=(const TrackUplink&) = delete;
  TrackUplink(TrackUplink&&) = delete;
  TrackUplink& operator=(TrackUplink&&) = delete;

  virtual Posted post(UplinkFrame&& frame) = 0;  ///< Moves from `frame` only when kAccepted.
  /// What the next post() would say for other reasons than a full mailbox: the shard learns only
  /// later that a frame which it took jumped, and a sender may wait for an ack instead of posting.
  virtual Posted standing() const noexcept = 0;
  /// Why post() answers kUndecodable.
  virtual std::string refusal() const { return {}; }
  virtual TrackId track() const noexcept = 0;
  /// Every seq below is settled: received, or given up as lost.
  virtual std::uint64_t next_seq() const noexcept = 0;
  /// Every seq below is on disk; nothing while the journal cannot write.
  virtual std::optional<std::uint64_t> durable_seq() const noexcept = 0;
  /// Audio decoded on the track since this connection took it over, gaps included.
  virtual std::int64_t heard_ms() const noexcept = 0;
};

/// Threads: safe from any thread, never blocks.
class Ingress {
 public:
  using Opened = std::function<void(Result<std::vector<std::shared_ptr<TrackUplink>>>)>;

  Ingress() = default;
  virtual ~Ingress() = default;
  Ingress(const Ingress&) = delete;
  Ingress& operator=(const Ingress&) = delete;
  Ingress(Ingress&&) = delete;
  Ingress& operator=(Ingress&&) = delete;

  /// Calls `opened` once, on any thread, with one TrackUplink per track of the hello in order.
  /// Errors: kNotFound unknown meeting; kConflict ended meeting; kOverloaded; kUnavailable.
  virtual void open(UplinkHello hello, Opened opened) = 0;
};

}  // namespace qylon::media

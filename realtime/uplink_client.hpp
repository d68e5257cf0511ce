#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/backoff.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/message_channel.hpp"
#include "core/result.hpp"
#include "core/token_bucket.hpp"
#include "media/ingress.hpp"
#include "media/uplink_frame.hpp"
#include "realtime/channel_inbox.hpp"
#include "realtime/uplink_client_json.hpp"

namespace qylon::realtime {

/// The sender's side of a qylon.v1 uplink (docs/PROTOCOL.md) for one track: numbers packets, keeps
/// them until the server has them on disk, and after a lost connection sends again what it must.
///
/// Input   : packets of one codec, each with its capture time and duration.
/// Bounds  : keeps at most `kept_ms_max` of packets. When that is full, kWait refuses more and
///           kDropOldest drops the oldest and counts it.
/// Time    : a packet that lies more than 9 s after its predecessor (a long outage dropped what was
///           between) goes out under a new capture clock, because the server takes at most 10 s.
/// Threads : one thread calls everything; the channel's thread only fills the inbox.
/// Errors  : none after create(): failures are a state, kFailed, with failure().
class UplinkClient {
 public:
  enum class WhenFull : std::uint8_t { kWait, kDropOldest };
  enum class State : std::uint8_t {
    kWaiting,     ///< At the start; and after a loss, for the back-off.
    kConnecting,  ///< Until the server's welcome.
    kStreaming,
    kClosing,  ///< Everything is acknowledged; saying good-bye. From here on nothing is sent.
    kDone,
    kFailed,
  };
  struct Options {
    std::string url;    ///< ws://host[:port]/v1/uplink or wss://...
    std::string token;  ///< Empty: none is sent.
    MeetingId meeting;
    std::optional<std::int64_t> clock_start_ms;  ///< Meeting time of capture time 0.
    media::TrackHello track;
    WhenFull when_full = WhenFull::kDropOldest;
    std::int64_t kept_ms_max = 120'000;  ///< 60'000..3'600'000.
    /// Frames a second when catching up, with a burst of half a second; 0: no limit. 200 is four
    /// times real time, so that the backlog of one returning client does not starve the others.
    int frames_per_s_max = 200;
    /// Gives up when the first welcome has not come by then; 0: never. Later losses are retried
    /// for ever.
    std::int64_t first_welcome_ms_max = 30'000;
    std::int64_t backoff_ms_max = 15'000;  ///< Longest wait before a lost server is tried again.
    std::uint64_t seed = 1;                ///< Of the back-off's jitter.
  };
  struct Progress {
    std::int64_t offered_ms = 0;       ///< Taken by offer().
    std::int64_t sent_ms = 0;          ///< Sent at least once.
    std::int64_t acknowledged_ms = 0;  ///< Settled at the server, or dropped here.
    std::int64_t durable_ms = 0;       ///< On the server's disk, or dropped here.
    std::int64_t dropped_ms = 0;       ///< Never acknowledged and no longer kept: lost.
    std::uint64_t connections = 0;     ///< Welcomes so far.
    bool disk_away = false;            ///< The server cannot write; nothing new is durable.

    std::int64_t lag_ms() const noexcept { return offered_ms - acknowledged_ms; }
  };

  /// `connector` and `clock` must outlive the client.
  /// Errors: kInvalidArgument for an option outside its range.
  static Result<std::unique_ptr<UplinkClient>> create(Options options,
                                                      MessageConnector& connector,
                                                      const Clock& clock);

  struct Packet {
    std::span<const std::uint8_t> payload;  ///< 1..kUplinkPayloadBytesMax bytes.
    std::uint64_t capture_us = 0;
    std::int64_t duration_us = 0;  ///< > 0.
  };
  /// False only with kWait while the buffer is full; the packet was not taken.
  /// REQUIRES: finish() was not called.
  bool offer(const Packet& packet);
  /// No more packets follow: the track ends, and the client is done when all is acknowledged.
  void finish();
  /// Does what is due: connects, reads acknowledgements, sends. Call it after offer() and after
  /// every wait().
  void step();
  /// Blocks until the server says something, or until `timeout`.
  void wait(std::chrono::microseconds timeout) { inbox_.wait_for(timeout); }

  State state() const noexcept { return state_; }
  Progress progress() const;
  /// Why the connection was lost or refused, in the server's words where it gave some.
  const std::string& trouble() const noexcept { return trouble_; }
  /// REQUIRES: state() == kFailed.
  const Error& failure() const { return failure_; }

 private:
  /// A packet from offer() until the server has it on disk; its seq is set when it goes out.
  struct Kept {
    media::UplinkFrame frame;
    std::int64_t duration_us = 0;  // 0: the end of the track.
    std::int64_t end_us = 0;       // Sum of all durations up to and with this one.
  };
  UplinkClient(Options options, MessageConnector& connector, const Clock& clock);

  void connect();
  void read_inbox();
  void say_hello();
  void on_reply(std::string_view text);
  void on_welcome(std::uint64_t next_seq);
  void on_ack(const UplinkReply& ack);
  void on_closed(const ChannelInbox::Closed& closed);
  void watch_time();
  void lose(std::string why);
  void fail(ErrorCode code, std::string message);

  void send_due();
  bool rate_allows();
  void send_next();
  bool next_jumps_too_far() const;
  void forget_clock();

  bool is_full() const noexcept;
  bool make_room();
  void keep(Kept kept);
  void release_front();
  bool everything_safe() const noexcept;
  void finish_if_safe();

  // Packets are counted from 0 over the client's life: their index. The wire's seq adds an offset
  // that the first welcome of a capture clock fixes.
  std::int64_t end_index() const noexcept;
  std::int64_t index_of(std::uint64_t seq) const noexcept;
  const Kept& kept_at(std::int64_t index) const;
  std::int64_t audio_us_before(std::int64_t index) const;
  std::int64_t capture_end_us_before(std::int64_t index) const;

  const Options options_;        // Constant after construction.
  MessageConnector& connector_;  // Constant after construction.
  const Clock& clock_;           // Constant after construction.

  std::deque<Kept> kept_;
  std::int64_t front_index_ = 0;    // Of kept_.front().
  std::int64_t durable_index_ = 0;  // Everything below was on the server's disk once.
  std::int64_t settled_index_ = 0;  // Everything below is settled at the server, or dropped.
  std::int64_t next_index_ = 0;     // Goes out next.
  std::int64_t sent_index_ = 0;     // Everything below went out at least once, or was dropped.
  std::int64_t offered_us_ = 0;
  std::int64_t released_us_ = 0;              // Of audio no longer kept.
  std::int64_t released_capture_end_us_ = 0;  // Where the newest of it ended.
  std::int64_t offered_capture_end_us_ = 0;
  std::int64_t dropped_us_ = 0;
  bool finished_ = false;
  bool disk_away_ = false;

  ClockId capture_clock_;
  std::optional<std::uint64_t> first_seq_;  // Of first_index_; nothing until the clock's welcome.
  std::int64_t first_index_ = 0;
  std::optional<std::int64_t> sent_capture_end_us_;  // What the server expects next.

  TokenBucket rate_;  // Of frames.
  State state_ = State::kWaiting;
  Backoff backoff_;
  std::int64_t due_us_ = 0;     // kConnecting, kClosing: patience ends. kWaiting: tries again.
  std::int64_t give_up_us_;     // Without a first welcome.
  std::int64_t heard_us_ = 0;   // Last message of the server.
  std::int64_t pinged_us_ = 0;  // Last ping of ours.
  std::uint64_t connections_ = 0;
  UplinkReply last_error_;  // Of this connection.
  std::string trouble_;
  Error failure_;

  ChannelInbox inbox_;  // Outlives the channel, whose thread fills it.
  std::unique_ptr<MessageChannel> channel_;
};

}  // namespace qylon::realtime

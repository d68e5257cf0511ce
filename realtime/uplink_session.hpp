#pragma once
/// One connection on /v1/uplink: hello, audio frames, acknowledgements.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/token_bucket.hpp"
#include "media/ingress.hpp"
#include "media/uplink_frame.hpp"
#include "realtime/admission.hpp"
#include "realtime/session.hpp"
#include "realtime/session_json.hpp"

namespace qylon::realtime {

/// Bounds  : frames wait here only while a shard is busy, at most kWaitingFrames (receiving is
///           paused at the first, so only what was already read can follow it); more closes 4006.
/// Threads : its net thread; Ingress may answer on any thread, through `executor`.
class UplinkSession final : public Session, public std::enable_shared_from_this<UplinkSession> {
 public:
  static constexpr std::size_t kWaitingFrames = 256;
  /// Four 48 kHz stereo float tracks caught up at four times real time. Loopback is not limited.
  static constexpr TokenBucket::Options kAudioBytes{6.0e6, 12.0e6};
  /// Of each track: live packets of 2.5 ms and a fifth, or those of 20 ms at almost ten times real
  /// time; at once a minute of the latter, which a client keeps and sends again.
  static constexpr TokenBucket::Options kAudioFrames{480.0, 3600.0};

  UplinkSession(SessionPort& port,
                const SessionParts& parts,
                SessionPeer peer,
                std::shared_ptr<NetExecutor> executor);
  ~UplinkSession() override;

  void on_text(std::string_view text) override;
  void on_binary(std::span<const std::uint8_t> bytes) override;
  void on_tick() override;
  bool identified() const noexcept override { return admission_.identified(); }
  void on_fast_tick() override;
  bool wants_fast_tick() const noexcept override { return paused_ && state_ == State::kOpen; }

  /// Closes 4506 when this session feeds `meeting`.
  void on_meeting_ended(MeetingId meeting);

 private:
  enum class State : std::uint8_t { kHello, kOpening, kOpen };
  struct Track {
    TrackId id;
    std::shared_ptr<media::TrackUplink> uplink;
    std::uint64_t acked_next = 0;
    std::optional<std::uint64_t> acked_durable;
    bool acked_once = false;
  };

  void on_hello(const HelloMessage& message);
  void on_allowed(media::UplinkHello hello, const Status& allowed);
  void on_opened(Result<std::vector<std::shared_ptr<media::TrackUplink>>> opened);
  void take(media::UplinkFrame&& frame);
  bool offer(media::UplinkFrame& frame);
  bool keeps_rate(std::size_t bytes);
  /// False when it is paused already.
  bool pause();
  void refuse(media::TrackUplink::Posted why, const media::TrackUplink& uplink);
  void check_standing();
  void send_acks();
  Track* find_track(TrackId id);

  const std::shared_ptr<NetExecutor> executor_;
  Admission admission_;
  State state_ = State::kHello;
  MeetingId meeting_;
  std::vector<Track> tracks_;
  std::deque<media::UplinkFrame> waiting_;
  bool paused_ = false;
  std::int64_t busy_since_us_ = 0;  // The shard refuses frames since; 0: it takes them.
  const std::int64_t opened_us_;
  std::int64_t heard_us_;
  TokenBucket control_;
  TokenBucket audio_bytes_;
  TokenBucket audio_frames_;
};

}  // namespace qylon::realtime

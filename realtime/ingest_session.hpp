#pragma once
/// One upload to /v1/ingest: from its authorisation to its answer.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/http.hpp"
#include "core/token_bucket.hpp"
#include "media/ingress.hpp"
#include "media/uplink_frame.hpp"
#include "realtime/admission.hpp"
#include "realtime/ingest_framer.hpp"
#include "realtime/ingest_request.hpp"
#include "realtime/session.hpp"

namespace qylon::realtime {

/// An upload as its session sees it. No libwebsockets here, so that sessions are tested without.
///
/// Threads: the connection's net thread.
class IngestPort {
 public:
  IngestPort() = default;
  virtual ~IngestPort() = default;
  IngestPort(const IngestPort&) = delete;
  IngestPort& operator=(const IngestPort&) = delete;
  IngestPort(IngestPort&&) = delete;
  IngestPort& operator=(IngestPort&&) = delete;

  virtual void pause_receiving(bool paused) = 0;
  /// The body is welcome.
  virtual void proceed() = 0;
  /// Ends the exchange; called once.
  virtual void answer(HttpResponse response) = 0;
};

/// Bounds  : nothing is read while the track is opened, while its shard is busy, or while more
///           than kHeadStartMs of audio beyond kSpeedMax times the time so far were heard; so no
///           more than one read waits here. 30 s without a byte end the upload with 408.
/// Threads : its net thread; Ingress and the handler may answer on any thread, through `executor`.
class IngestSession final : public std::enable_shared_from_this<IngestSession> {
 public:
  /// A file is taken faster than it plays, but not faster than recognisers can follow.
  static constexpr std::int64_t kSpeedMax = 2;
  static constexpr std::int64_t kHeadStartMs = 20'000;

  struct Asked {
    IngestRequest request;
    std::string token;
    std::string peer_address;
    bool peer_is_loopback = false;
  };

  /// `http` makes the meeting when a new one is asked for.
  IngestSession(IngestPort& port,
                const SessionParts& parts,
                HttpHandler& http,
                Asked asked,
                std::shared_ptr<NetExecutor> executor);
  ~IngestSession();
  IngestSession(const IngestSession&) = delete;
  IngestSession& operator=(const IngestSession&) = delete;
  IngestSession(IngestSession&&) = delete;
  IngestSession& operator=(IngestSession&&) = delete;

  void start();
  /// The next bytes of the body.
  void on_bytes(std::string_view bytes);
  /// The body has ended; `is_whole` is false when it broke off.
  void on_end(bool is_whole);
  /// Every 50 ms.
  void on_tick();
  /// Answers with a problem; what was taken stays. Later calls do nothing.
  void fail(int status, std::string_view detail);

 private:
  enum class State : std::uint8_t { kOpening, kStreaming, kSettling, kDone };

  void on_allowed(const Status& allowed);
  void create_meeting();
  void on_created(HttpResponse response);
  void open_track();
  void on_opened(Result<std::vector<std::shared_ptr<media::TrackUplink>>> opened);
  void pump();
  bool may_read();
  void refuse(media::TrackUplink::Posted why);
  void settle(std::int64_t now_us);
  void finish();
  void pass(HttpResponse response);

  IngestPort& port_;
  const SessionParts& parts_;
  HttpHandler& http_;
  const Asked asked_;
  const std::shared_ptr<NetExecutor> executor_;
  Admission admission_;
  State state_ = State::kOpening;
  std::optional<MeetingId> meeting_;
  std::shared_ptr<media::TrackUplink> uplink_;
  IngestFramer framer_;
  std::deque<media::UplinkFrame> waiting_;
  std::string early_;  // Came with the header, before the track was open.
  bool broken_off_ = false;
  bool ended_early_ = false;
  std::uint64_t bytes_ = 0;
  std::int64_t since_us_;          // Of the state.
  std::int64_t heard_us_;          // The last bytes, or the last time that they were not wanted.
  std::int64_t streaming_us_ = 0;  // The begin of kStreaming.
  TokenBucket allowance_;
};

}  // namespace qylon::realtime

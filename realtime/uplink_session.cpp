#include "realtime/uplink_session.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

namespace qylon::realtime {
namespace {

constexpr std::int64_t kSilenceMaxUs = 30'000'000;
constexpr std::int64_t kBusyMaxUs = 10'000'000;

SessionError protocol_error(std::string message) {
  return {ErrorCode::kInvalidArgument, 4503, std::move(message)};
}

struct HelloRefused {
  SessionError error;
};

std::variant<media::UplinkHello, HelloRefused> judge(const HelloMessage& message) {
  media::UplinkHello hello{message.meeting, message.clock, message.clock_start_ms, {}};
  for (const HelloMessage::Track& track : message.tracks) {
    const auto format = media::make_audio_format(track.codec, track.sample_rate_hz, track.channels);
    if (!format) return HelloRefused{{ErrorCode::kInvalidArgument, 4504, format.error().message}};
    hello.tracks.push_back({track.track, *format, track.label, track.speaker});
  }
  return hello;
}

}  // namespace

UplinkSession::UplinkSession(SessionPort& port,
                             const SessionParts& parts,
                             SessionPeer peer,
                             std::shared_ptr<NetExecutor> executor)
    : Session(port, parts),
      executor_(std::move(executor)),
      admission_(parts, std::move(peer), executor_),
      opened_us_(parts.clock.monotonic_us()),
      heard_us_(opened_us_),
      control_(TokenBucket::Options{}, heard_us_),
      audio_bytes_(kAudioBytes, heard_us_),
      audio_frames_(kAudioFrames, heard_us_) {
  parts_.counters.uplinks.add(1);
}

UplinkSession::~UplinkSession() {
  parts_.counters.uplinks.add(-1);
}

UplinkSession::Track* UplinkSession::find_track(TrackId id) {
  const auto found =
      std::find_if(tracks_.begin(), tracks_.end(), [id](const Track& t) { return t.id == id; });
  return found == tracks_.end() ? nullptr : &*found;
}

void UplinkSession::on_text(std::string_view text) {
  if (failed()) return;
  heard_us_ = parts_.clock.monotonic_us();
  if (!control_.try_take(1.0, heard_us_))
    return fail({ErrorCode::kOverloaded, 4005, "at most 20 control messages a second"});
  const auto message = parse_uplink_message(text);
  if (!message) return fail(protocol_error(message.error().message));
  if (std::holds_alternative<PingMessage>(*message))
    return port_.send(make_text_frame(encode_pong()));
  if (state_ != State::kHello) return fail(protocol_error("hello may be sent only once"));
  on_hello(std::get<HelloMessage>(*message));
}

void UplinkSession::on_hello(const HelloMessage& message) {
  auto judged = judge(message);
  if (const auto* refused = std::get_if<HelloRefused>(&judged)) return fail(refused->error);
  state_ = State::kOpening;
  meeting_ = message.meeting;
  // Frames sent before the welcome stay in the socket until the tracks are there.
  pause();
  admission_.ask(message.token,
                 {meeting_},
                 MeetingVerb::kSpeak,
                 [weak = weak_from_this(),
                  hello = std::get<media::UplinkHello>(std::move(judged))](const Status& allowed) {
                   if (const auto self = weak.lock()) self->on_allowed(hello, allowed);
                 });
}

void UplinkSession::on_allowed(media::UplinkHello hello, const Status& allowed) {
  if (failed()) return;
  if (!allowed) return fail(session_error(allowed.error()));
  parts_.ingress.open(std::move(hello),
                      [weak = weak_from_this(), executor = executor_](auto opened) {
                        executor->post([weak, opened = std::move(opened)]() mutable {
                          if (const auto self = weak.lock()) self->on_opened(std::move(opened));
                        });
                      });
}

void UplinkSession::on_opened(Result<std::vector<std::shared_ptr<media::TrackUplink>>> opened) {
  if (failed()) return;
  if (!opened) {
    SessionError error = session_error(opened.error());
    // A conflict here is an ended meeting; a track that is fed elsewhere is taken over instead.
    if (error.code == ErrorCode::kConflict) error.close = 4506;
    return fail(error);
  }
  std::vector<TrackNext> next;
  for (auto& uplink : *opened) {
    next.push_back({uplink->track(), uplink->next_seq()});
    tracks_.push_back({uplink->track(), uplink, next.back().next_seq, std::nullopt, false});
  }
  state_ = State::kOpen;
  heard_us_ = parts_.clock.monotonic_us();
  const auto tracks = static_cast<double>(tracks_.size());
  audio_frames_ =
      TokenBucket({tracks * kAudioFrames.per_s, tracks * kAudioFrames.burst}, heard_us_);
  port_.send(make_text_frame(encode_welcome(meeting_, next)));
  on_fast_tick();  // Opens the socket again.
}

void UplinkSession::on_binary(std::span<const std::uint8_t> bytes) {
  if (failed()) return;
  // Twenty milliseconds after the last frame the track is out of the cache.
  if (!tracks_.empty()) __builtin_prefetch(tracks_.front().uplink.get());
  heard_us_ = parts_.clock.monotonic_us();
  if (state_ == State::kHello) return fail(protocol_error("the first message must be hello"));
  auto frame = media::parse_uplink(bytes);
  if (!frame) return fail(protocol_error(frame.error().message));
  if (!keeps_rate(bytes.size()) && pause()) parts_.counters.uplinks_slowed.add();
  take(*std::move(frame));
}

// What is too fast is not refused but read later: refusing would cost its sender a reconnect, and
// then it would send even more at once.
bool UplinkSession::keeps_rate(std::size_t bytes) {
  if (admission_.peer().is_loopback) return true;
  const bool has_bytes = audio_bytes_.spend(static_cast<double>(bytes), heard_us_);
  const bool has_frames = audio_frames_.spend(1.0, heard_us_);
  return has_bytes && has_frames;
}

void UplinkSession::take(media::UplinkFrame&& frame) {
  if (state_ == State::kOpen && waiting_.empty() && offer(frame)) return;
  if (failed()) return;
  if (waiting_.size() >= kWaitingFrames)
    return fail(
        {ErrorCode::kOverloaded, 4006, "too many frames before the server could take them"});
  if (waiting_.empty()) busy_since_us_ = heard_us_;
  waiting_.push_back(std::move(frame));
  if (pause()) parts_.counters.uplink_stalls.add();
}

// True when the frame needs no further attention.
bool UplinkSession::offer(media::UplinkFrame& frame) {
  using Posted = media::TrackUplink::Posted;
  Track* const track = find_track(frame.track);
  if (track == nullptr) {
    fail(protocol_error("track " + std::to_string(frame.track) + " is not in the hello"));
    return false;
  }
  const Posted posted = track->uplink->post(std::move(frame));
  if (posted == Posted::kAccepted) {
    parts_.counters.uplink_frames.add();
    return true;
  }
  if (posted != Posted::kBusy) refuse(posted, *track->uplink);
  return false;
}

void UplinkSession::refuse(media::TrackUplink::Posted why, const media::TrackUplink& uplink) {
  using Posted = media::TrackUplink::Posted;
  if (why == Posted::kSuperseded) {
    fail({ErrorCode::kConflict, 4501, "a newer connection feeds this track"});
  } else if (why == Posted::kEnded) {
    fail({ErrorCode::kConflict, 4506, "the meeting has ended"});
  } else if (why == Posted::kUnknownPosition) {
    fail({ErrorCode::kConflict,
          4004,
          "a stream begins with seq 0; begin a new one under a new clock"});
  } else if (why == Posted::kUndecodable) {
    fail({ErrorCode::kInvalidArgument, 4504, uplink.refusal()});
  } else {
    fail(protocol_error("seq or capture_us is more than 10 s beyond what is expected"));
  }
}

void UplinkSession::check_standing() {
  for (const Track& track : tracks_) {
    const auto standing = track.uplink->standing();
    if (standing != media::TrackUplink::Posted::kAccepted) return refuse(standing, *track.uplink);
  }
}

bool UplinkSession::pause() {
  if (paused_) return false;
  paused_ = true;
  port_.pause_receiving(true);
  return true;
}

void UplinkSession::on_fast_tick() {
  if (failed() || state_ != State::kOpen) return;
  while (!waiting_.empty()) {
    if (!offer(waiting_.front())) return;
    waiting_.pop_front();
    busy_since_us_ = parts_.clock.monotonic_us();
  }
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (!audio_bytes_.has_tokens(now_us) || !audio_frames_.has_tokens(now_us)) return;
  paused_ = false;
  port_.pause_receiving(false);
}

void UplinkSession::send_acks() {
  for (Track& track : tracks_) {
    const TrackNext next{track.id, track.uplink->next_seq()};
    const auto durable = track.uplink->durable_seq();
    if (track.acked_once && next.next_seq == track.acked_next && durable == track.acked_durable)
      continue;
    if (!track.acked_once && next.next_seq == track.acked_next && durable.value_or(0) == 0)
      continue;
    track.acked_once = true;
    track.acked_next = next.next_seq;
    track.acked_durable = durable;
    port_.send(make_text_frame(encode_ack(next, durable)));
  }
}

void UplinkSession::on_tick() {
  if (failed()) return;
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (state_ == State::kHello) {
    // Pings do not count: nobody knows yet who sends them.
    if (now_us - opened_us_ > kHelloTimeoutUs)
      fail({ErrorCode::kInvalidArgument, 4002, "hello must come within 5 s"});
    return;
  }
  // While the socket is paused by us silence is our own doing.
  if (paused_) heard_us_ = now_us;
  send_acks();
  check_standing();
  if (!failed() && !waiting_.empty() && now_us - busy_since_us_ > kBusyMaxUs)
    fail({ErrorCode::kOverloaded, 4006, "the server has taken no audio for 10 s; reconnect"});
  if (!failed() && now_us - heard_us_ > kSilenceMaxUs)
    fail({ErrorCode::kUnavailable, 4002, "no message for 30 s; send pings while muted"});
}

void UplinkSession::on_meeting_ended(MeetingId meeting) {
  if (state_ == State::kHello || meeting != meeting_) return;
  send_acks();
  fail({ErrorCode::kConflict, 4506, "the meeting has ended"});
}

}  // namespace qylon::realtime

#include "realtime/ingest_session.hpp"

#include <algorithm>
#include <utility>

#include "core/problem_json.hpp"
#include "realtime/http_response.hpp"
#include "realtime/ingest_json.hpp"
#include "realtime/uplink_session.hpp"

namespace qylon::realtime {
namespace {

constexpr std::string_view kMeetings = "/api/meetings";
constexpr std::int64_t kOpeningMaxUs = 30'000'000;
constexpr std::int64_t kSilenceMaxUs = 30'000'000;
constexpr std::int64_t kSettlingMaxUs = 30'000'000;

/// The meeting that `location` names: "/api/meetings/{id}".
std::optional<MeetingId> created_meeting(const HttpResponse& response) {
  for (const auto& [name, value] : response.headers) {
    if (name != "Location" || !value.starts_with(kMeetings)) continue;
    return MeetingId::parse(std::string_view(value).substr(kMeetings.size() + 1));
  }
  return std::nullopt;
}

}  // namespace

IngestSession::IngestSession(IngestPort& port,
                             const SessionParts& parts,
                             HttpHandler& http,
                             Asked asked,
                             std::shared_ptr<NetExecutor> executor)
    : port_(port),
      parts_(parts),
      http_(http),
      asked_(std::move(asked)),
      executor_(std::move(executor)),
      admission_(parts, {asked_.token, asked_.peer_is_loopback}, executor_),
      meeting_(asked_.request.meeting),
      framer_(asked_.request.track.track, asked_.request.track.format),
      since_us_(parts.clock.monotonic_us()),
      heard_us_(since_us_),
      allowance_(UplinkSession::kAudioBytes, since_us_) {
  parts_.counters.uplinks.add(1);
}

IngestSession::~IngestSession() {
  parts_.counters.uplinks.add(-1);
}

void IngestSession::start() {
  port_.pause_receiving(true);
  std::vector<MeetingId> meetings;
  if (meeting_) meetings.push_back(*meeting_);  // A new one is for the handler to allow.
  admission_.ask("",
                 std::move(meetings),
                 MeetingVerb::kSpeak,
                 [weak = weak_from_this()](const Status& allowed) {
                   if (const auto self = weak.lock()) self->on_allowed(allowed);
                 });
}

void IngestSession::on_allowed(const Status& allowed) {
  if (state_ == State::kDone) return;
  if (!allowed) {
    HttpResponse response = problem_answer(problem_of(allowed.error()));
    // Source clients show their password only when they are asked for it.
    for (auto& [name, value] : response.headers) {
      if (name == "WWW-Authenticate") value = "Basic realm=\"Qylon\"";
    }
    return pass(std::move(response));
  }
  if (meeting_) return open_track();
  create_meeting();
}

void IngestSession::create_meeting() {
  HttpRequest request;
  request.method = "POST";
  request.path = kMeetings;
  request.content_type = "application/json";
  if (!asked_.token.empty()) request.authorization = "Bearer " + asked_.token;
  request.body = encode_new_meeting(asked_.request.title);
  request.peer_address = asked_.peer_address;
  request.peer_is_loopback = asked_.peer_is_loopback;
  http_.handle(std::move(request),
               [weak = weak_from_this(), executor = executor_](HttpResponse response) {
                 executor->post([weak, response = std::move(response)]() mutable {
                   if (const auto self = weak.lock()) self->on_created(std::move(response));
                 });
               });
}

void IngestSession::on_created(HttpResponse response) {
  if (state_ == State::kDone) return;
  meeting_ = created_meeting(response);
  if (meeting_) return open_track();
  pass(std::move(response));
}

void IngestSession::open_track() {
  media::UplinkHello hello{*meeting_, ClockId::random(), std::nullopt, {asked_.request.track}};
  parts_.ingress.open(std::move(hello),
                      [weak = weak_from_this(), executor = executor_](auto opened) {
                        executor->post([weak, opened = std::move(opened)]() mutable {
                          if (const auto self = weak.lock()) self->on_opened(std::move(opened));
                        });
                      });
}

void IngestSession::on_opened(Result<std::vector<std::shared_ptr<media::TrackUplink>>> opened) {
  if (state_ == State::kDone) return;
  if (!opened) return fail(http_status(opened.error().code), opened.error().message);
  uplink_ = std::move(opened->front());
  state_ = State::kStreaming;
  streaming_us_ = heard_us_ = parts_.clock.monotonic_us();
  port_.proceed();
  framer_.feed(std::exchange(early_, {}), waiting_);
  if (ended_early_) return on_end(!broken_off_);
  pump();
}

void IngestSession::on_bytes(std::string_view bytes) {
  heard_us_ = parts_.clock.monotonic_us();
  bytes_ += bytes.size();
  if (!asked_.peer_is_loopback) allowance_.spend(static_cast<double>(bytes.size()), heard_us_);
  if (state_ == State::kOpening) early_.append(bytes);
  if (state_ != State::kStreaming) return;
  framer_.feed(bytes, waiting_);
  pump();
}

void IngestSession::on_end(bool is_whole) {
  broken_off_ = !is_whole;
  ended_early_ = state_ == State::kOpening;
  if (state_ != State::kStreaming) return;
  framer_.finish(waiting_);
  state_ = State::kSettling;
  since_us_ = parts_.clock.monotonic_us();
  pump();
}

/// Hands over what waits, and reads on when that went well.
void IngestSession::pump() {
  using Posted = media::TrackUplink::Posted;
  while (!waiting_.empty()) {
    const Posted posted = uplink_->post(std::move(waiting_.front()));
    if (posted == Posted::kBusy) {
      parts_.counters.uplink_stalls.add();
      break;
    }
    if (posted != Posted::kAccepted) return refuse(posted);
    parts_.counters.uplink_frames.add();
    waiting_.pop_front();
  }
  if (state_ == State::kStreaming) port_.pause_receiving(!may_read());
}

bool IngestSession::may_read() {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (!waiting_.empty() || !allowance_.has_tokens(now_us)) return false;
  const std::int64_t elapsed_ms = (now_us - streaming_us_) / 1000;
  return uplink_->heard_ms() < elapsed_ms * kSpeedMax + kHeadStartMs;
}

void IngestSession::refuse(media::TrackUplink::Posted why) {
  using Posted = media::TrackUplink::Posted;
  if (why == Posted::kSuperseded) return fail(409, "a newer connection feeds this track");
  if (why == Posted::kEnded) return fail(409, "the meeting has ended");
  if (why == Posted::kUndecodable) return fail(415, uplink_->refusal());
  fail(500, "the track refused its next packet");
}

void IngestSession::on_tick() {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (state_ == State::kOpening && now_us - since_us_ > kOpeningMaxUs)
    return fail(503, "the meeting could not be opened in time");
  if (state_ != State::kStreaming && state_ != State::kSettling) return;
  const auto standing = uplink_->standing();
  if (standing != media::TrackUplink::Posted::kAccepted) return refuse(standing);
  pump();
  if (state_ == State::kSettling) return settle(now_us);
  if (state_ != State::kStreaming) return;
  // While reading is paused by us silence is our own doing.
  if (!may_read()) heard_us_ = now_us;
  if (now_us - heard_us_ > kSilenceMaxUs) fail(408, "no byte came for 30 s");
}

/// The answer comes when the track has dealt with the last frame and the disk has it.
void IngestSession::settle(std::int64_t now_us) {
  const auto durable = uplink_->durable_seq();
  const bool is_settled = waiting_.empty() && uplink_->next_seq() >= framer_.count();
  const bool is_kept = !durable || *durable >= framer_.count();
  if ((is_settled && is_kept) || now_us - since_us_ > kSettlingMaxUs) finish();
}

void IngestSession::finish() {
  if (broken_off_) return fail(400, "the body broke off before its end");
  if (bytes_ > 0 && uplink_->heard_ms() == 0)
    return fail(415, "no audio was found in the body; is the codec right?");
  if (!waiting_.empty()) return fail(503, "the meeting's shard was busy for 30 s");
  const auto durable = uplink_->durable_seq();
  HttpResponse response;
  response.body = encode_ingest_answer({.meeting = *meeting_,
                                        .track = asked_.request.track.track,
                                        .heard_ms = uplink_->heard_ms(),
                                        .packets = framer_.count() - 1,  // Without the end.
                                        .bytes = bytes_,
                                        .durable = durable.value_or(0) >= framer_.count()});
  response.headers.emplace_back("Location", std::string(kMeetings) + "/" + meeting_->to_string());
  pass(std::move(response));
}

void IngestSession::fail(int status, std::string_view detail) {
  if (state_ == State::kDone) return;
  std::string message(detail);
  if (uplink_ != nullptr)
    message += "; " + std::to_string(uplink_->heard_ms() / 1000) + " s of audio were taken before";
  HttpResponse response = make_problem(status, message);
  if (meeting_ && uplink_ != nullptr)
    response.headers.emplace_back("Location", std::string(kMeetings) + "/" + meeting_->to_string());
  pass(std::move(response));
}

void IngestSession::pass(HttpResponse response) {
  state_ = State::kDone;
  uplink_.reset();
  if (response.status >= 400) parts_.counters.refused_requests.add();
  port_.answer(std::move(response));
}

}  // namespace qylon::realtime

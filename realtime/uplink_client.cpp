#include "realtime/uplink_client.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace qylon::realtime {
namespace {

constexpr std::int64_t kWelcomeUsMax = 20'000'000;  // 10 s to connect, 10 s to answer the hello.
constexpr std::int64_t kGoodbyeUsMax = 2'000'000;
// The server acknowledges ten times a second while audio flows, and answers a ping at once.
constexpr std::int64_t kPingAfterUs = 5'000'000;
constexpr std::int64_t kSilenceUsMax = 20'000'000;
// The server refuses a jump of more than 10 s; one second is left for its own bookkeeping.
constexpr std::int64_t kJumpUsMax = 9'000'000;

// Close codes of docs/PROTOCOL.md.
constexpr int kNormal = 1000;
constexpr int kBroken = 1006;
constexpr int kUnknownPosition = 4004;
constexpr int kMeetingEnded = 4506;

/// True when trying again can only fail again: our fault (RFC 6455 section 7.4.1) or a final no.
bool is_final(int close) {
  return close == 1002 || close == 1003 || close == 1007 || close == 1009 || close >= 4500;
}

ErrorCode error_of(int close) {
  for (const ErrorCode code : {ErrorCode::kUnauthenticated,
                               ErrorCode::kForbidden,
                               ErrorCode::kNotFound,
                               ErrorCode::kConflict}) {
    if (close_code(code) == close) return code;
  }
  return close == kMeetingEnded ? ErrorCode::kConflict : ErrorCode::kInvalidArgument;
}

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

}  // namespace

Result<std::unique_ptr<UplinkClient>> UplinkClient::create(Options options,
                                                           MessageConnector& connector,
                                                           const Clock& clock) {
  if (options.kept_ms_max < 60'000 || options.kept_ms_max > 3'600'000) {
    return invalid("an uplink keeps 60000..3600000 ms for resending, not " +
                   std::to_string(options.kept_ms_max));
  }
  if (options.backoff_ms_max < 250) return invalid("a back-off is at least 250 ms");
  if (options.frames_per_s_max < 0 || options.first_welcome_ms_max < 0) {
    return invalid("a rate and a time limit are 0 (none) or more");
  }
  return std::unique_ptr<UplinkClient>(new UplinkClient(std::move(options), connector, clock));
}

UplinkClient::UplinkClient(Options options, MessageConnector& connector, const Clock& clock)
    : options_(std::move(options)),
      connector_(connector),
      clock_(clock),
      capture_clock_(ClockId::random()),
      rate_({.per_s = std::max(1.0, static_cast<double>(options_.frames_per_s_max)),
             .burst = std::max(1.0, options_.frames_per_s_max / 2.0)},
            clock.monotonic_us()),
      backoff_({.cap_ms = options_.backoff_ms_max, .seed = options_.seed}),
      give_up_us_(clock.monotonic_us() + options_.first_welcome_ms_max * 1000) {}

// --- What is kept ---

bool UplinkClient::offer(const Packet& packet) {
  QYLON_CHECK(!finished_ && packet.duration_us > 0 && !packet.payload.empty());
  if (!make_room()) return false;
  Kept kept;
  kept.frame.capture_us = packet.capture_us;
  kept.frame.payload.assign(packet.payload.begin(), packet.payload.end());
  kept.duration_us = packet.duration_us;
  keep(std::move(kept));
  return true;
}

void UplinkClient::finish() {
  if (finished_) return;
  Kept kept;
  kept.frame.flags = media::kUplinkFlagEnd;
  kept.frame.capture_us = static_cast<std::uint64_t>(offered_capture_end_us_);
  keep(std::move(kept));
  finished_ = true;
}

void UplinkClient::keep(Kept kept) {
  offered_us_ += kept.duration_us;
  offered_capture_end_us_ = static_cast<std::int64_t>(kept.frame.capture_us) + kept.duration_us;
  kept.end_us = offered_us_;
  kept.frame.track = options_.track.track;
  kept_.push_back(std::move(kept));
}

bool UplinkClient::is_full() const noexcept {
  return offered_us_ - released_us_ >= options_.kept_ms_max * 1000;
}

bool UplinkClient::make_room() {
  while (is_full()) {
    const bool settled = front_index_ < settled_index_;
    // What the server has but cannot write is the first to go: keeping it is only a precaution.
    const bool may_go = options_.when_full == WhenFull::kDropOldest || (settled && disk_away_);
    if (!may_go) return false;
    if (!settled) dropped_us_ += kept_.front().duration_us;
    release_front();
  }
  return true;
}

void UplinkClient::release_front() {
  const Kept& front = kept_.front();
  released_us_ = front.end_us;
  released_capture_end_us_ = static_cast<std::int64_t>(front.frame.capture_us) + front.duration_us;
  kept_.pop_front();
  ++front_index_;
  settled_index_ = std::max(settled_index_, front_index_);
  next_index_ = std::max(next_index_, front_index_);
  sent_index_ = std::max(sent_index_, front_index_);
}

std::int64_t UplinkClient::end_index() const noexcept {
  return front_index_ + static_cast<std::int64_t>(kept_.size());
}

std::int64_t UplinkClient::index_of(std::uint64_t seq) const noexcept {
  // Both are at most 2^53 (parse_uplink_reply), so the difference fits.
  return first_index_ + static_cast<std::int64_t>(seq) -
         static_cast<std::int64_t>(first_seq_.value_or(seq));
}

const UplinkClient::Kept& UplinkClient::kept_at(std::int64_t index) const {
  QYLON_CHECK(index >= front_index_ && index < end_index());
  return kept_[static_cast<std::size_t>(index - front_index_)];
}

std::int64_t UplinkClient::audio_us_before(std::int64_t index) const {
  return index <= front_index_ ? released_us_ : kept_at(index - 1).end_us;
}

/// Capture time at which packet `index` begins if there was no hole before it.
std::int64_t UplinkClient::capture_end_us_before(std::int64_t index) const {
  if (index <= front_index_) {
    // The packets between are gone; all of them were about as long as the ones that are left.
    const std::int64_t each_us = kept_.empty() ? 20'000 : kept_.front().duration_us;
    return released_capture_end_us_ - (front_index_ - index) * each_us;
  }
  const Kept& before = kept_at(index - 1);
  return static_cast<std::int64_t>(before.frame.capture_us) + before.duration_us;
}

UplinkClient::Progress UplinkClient::progress() const {
  return {.offered_ms = offered_us_ / 1000,
          .sent_ms = audio_us_before(sent_index_) / 1000,
          .acknowledged_ms = audio_us_before(settled_index_) / 1000,
          .durable_ms = released_us_ / 1000,
          .dropped_ms = dropped_us_ / 1000,
          .connections = connections_,
          .disk_away = disk_away_};
}

// --- The connection ---

void UplinkClient::step() {
  if (state_ == State::kDone || state_ == State::kFailed) return;
  read_inbox();
  watch_time();
  send_due();
  finish_if_safe();
}

void UplinkClient::connect() {
  state_ = State::kConnecting;
  due_us_ = clock_.monotonic_us() + kWelcomeUsMax;
  last_error_ = {};
  inbox_.clear();
  MessageChannel::Options options;
  options.url = options_.url;
  options.subprotocol = "qylon.v1";
  if (!options_.token.empty()) options.headers["Authorization"] = "Bearer " + options_.token;
  auto channel = connector_.connect(std::move(options), inbox_.events());
  if (!channel) return fail(channel.error().code, channel.error().message);
  channel_ = *std::move(channel);
}

void UplinkClient::read_inbox() {
  if (!channel_) return;
  const ChannelInbox::Taken taken = inbox_.take();
  if (taken.opened) say_hello();
  for (const std::string& text : taken.texts)
    on_reply(text);
  if (taken.closed && channel_) on_closed(*taken.closed);
}

void UplinkClient::say_hello() {
  heard_us_ = clock_.monotonic_us();
  // A refusal means that the channel has closed again, which the inbox will say.
  channel_->send_text(print_uplink_hello({.meeting = options_.meeting,
                                          .clock = capture_clock_,
                                          .clock_start_ms = options_.clock_start_ms,
                                          .tracks = {options_.track}}));
}

void UplinkClient::on_reply(std::string_view text) {
  if (!channel_) return;
  heard_us_ = clock_.monotonic_us();
  const auto reply = parse_uplink_reply(text, options_.track.track);
  if (!reply) return lose(reply.error().message);
  if (reply->kind == UplinkReply::Kind::kWelcome && state_ == State::kConnecting) {
    on_welcome(reply->next_seq);
  } else if (reply->kind == UplinkReply::Kind::kAck && state_ == State::kStreaming) {
    on_ack(*reply);
  } else if (reply->kind == UplinkReply::Kind::kError) {
    last_error_ = *reply;
    trouble_ = reply->message;
  }
}

void UplinkClient::on_welcome(std::uint64_t next_seq) {
  state_ = State::kStreaming;
  ++connections_;
  trouble_.clear();
  if (!first_seq_) {
    first_seq_ = next_seq;
    first_index_ = front_index_;
    settled_index_ = front_index_;
    sent_capture_end_us_.reset();
  } else {
    // A server cannot have what never went out, whatever it says.
    const std::int64_t index = std::min(index_of(next_seq), sent_index_);
    settled_index_ = std::max(index, front_index_);
    sent_capture_end_us_ = capture_end_us_before(index);
    // One that asks for what it had on disk was started again: it knows the clock, so that the
    // meeting's time goes on, but takes whatever seq comes first.
    if (index < durable_index_) sent_capture_end_us_.reset();
  }
  next_index_ = settled_index_;
}

void UplinkClient::on_ack(const UplinkReply& ack) {
  settled_index_ = std::clamp(index_of(ack.next_seq), settled_index_, next_index_);
  disk_away_ = !ack.durable.has_value();
  if (ack.durable) {
    const std::int64_t durable = std::min(index_of(*ack.durable), settled_index_);
    durable_index_ = std::max(durable_index_, durable);
    while (front_index_ < durable)
      release_front();
  }
  backoff_.reset();
}

void UplinkClient::on_closed(const ChannelInbox::Closed& closed) {
  channel_.reset();
  // A broken connection may have eaten the close frame that the error frame had announced.
  const int code = closed.code == kBroken && last_error_.close ? *last_error_.close : closed.code;
  const bool all_heard = finished_ && settled_index_ + 1 >= end_index();
  if (state_ == State::kClosing || (all_heard && (code == kNormal || code == kMeetingEnded))) {
    state_ = State::kDone;
    return;
  }
  if (last_error_.message.empty()) {
    trouble_ =
        closed.reason.empty() ? "closed with code " + std::to_string(closed.code) : closed.reason;
  }
  if (is_final(code)) return fail(error_of(code), trouble_);
  if (code == kUnknownPosition) forget_clock();
  lose(trouble_);
}

/// Gives the connection up and plans the next attempt.
void UplinkClient::lose(std::string why) {
  channel_.reset();
  trouble_ = std::move(why);
  state_ = State::kWaiting;
  due_us_ = clock_.monotonic_us() + backoff_.next_ms(last_error_.retry_after_ms) * 1000;
}

void UplinkClient::fail(ErrorCode code, std::string message) {
  channel_.reset();
  state_ = State::kFailed;
  trouble_ = message;
  failure_ = {code, std::move(message)};
}

void UplinkClient::watch_time() {
  const std::int64_t now_us = clock_.monotonic_us();
  const bool waits = state_ == State::kWaiting || state_ == State::kConnecting;
  if (waits && connections_ == 0 && options_.first_welcome_ms_max > 0 && now_us >= give_up_us_) {
    return fail(ErrorCode::kUnavailable,
                "no answer from " + options_.url + " within " +
                    std::to_string(options_.first_welcome_ms_max / 1000) + " s" +
                    (trouble_.empty() ? "" : ": " + trouble_));
  }
  if (state_ == State::kStreaming) {
    if (now_us - heard_us_ >= kSilenceUsMax) return lose("the server has fallen silent");
    if (now_us - std::max(heard_us_, pinged_us_) < kPingAfterUs) return;
    pinged_us_ = now_us;
    channel_->send_text(R"({"type":"ping"})");
    return;
  }
  if (now_us < due_us_) return;
  if (state_ == State::kWaiting) return connect();
  if (state_ == State::kConnecting) return lose("the server does not answer");
  if (state_ == State::kClosing) state_ = State::kDone;
}

// --- Sending ---

void UplinkClient::send_due() {
  while (state_ == State::kStreaming && next_index_ < end_index()) {
    if (next_jumps_too_far()) {
      // The old clock is left only when nothing under it is under way any more.
      if (settled_index_ < next_index_) return;
      forget_clock();
      channel_->close();
      lose("a long outage");
      due_us_ = clock_.monotonic_us();
      return;
    }
    if (!rate_allows()) return;
    const std::int64_t before = next_index_;
    send_next();
    if (next_index_ == before) return;
  }
}

bool UplinkClient::next_jumps_too_far() const {
  if (!sent_capture_end_us_) return false;
  const auto capture_us = static_cast<std::int64_t>(kept_at(next_index_).frame.capture_us);
  return capture_us - *sent_capture_end_us_ > kJumpUsMax;
}

/// What follows goes out under a new capture clock, numbered from the next welcome on.
void UplinkClient::forget_clock() {
  while (front_index_ < settled_index_)
    release_front();
  capture_clock_ = ClockId::random();
  first_seq_.reset();
  sent_capture_end_us_.reset();
}

bool UplinkClient::rate_allows() {
  return options_.frames_per_s_max == 0 || rate_.try_take(1.0, clock_.monotonic_us());
}

/// Leaves next_index_ as it is when the channel takes no more for now.
void UplinkClient::send_next() {
  Kept& kept = kept_[static_cast<std::size_t>(next_index_ - front_index_)];
  kept.frame.seq = *first_seq_ + static_cast<std::uint64_t>(next_index_ - first_index_);
  if (!channel_->send_binary(media::encode_uplink(kept.frame))) return;
  ++next_index_;
  sent_index_ = std::max(sent_index_, next_index_);
  sent_capture_end_us_ = static_cast<std::int64_t>(kept.frame.capture_us) + kept.duration_us;
}

bool UplinkClient::everything_safe() const noexcept {
  if (!finished_ || settled_index_ < end_index()) return false;
  return kept_.empty() || disk_away_;
}

void UplinkClient::finish_if_safe() {
  if (!everything_safe() || state_ >= State::kClosing) return;
  if (!channel_) {
    state_ = State::kDone;
    return;
  }
  channel_->close();
  state_ = State::kClosing;
  due_us_ = clock_.monotonic_us() + kGoodbyeUsMax;
}

}  // namespace qylon::realtime

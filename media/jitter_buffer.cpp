#include "media/jitter_buffer.hpp"

#include <algorithm>
#include <utility>

namespace qylon::media {
namespace {

constexpr std::size_t kGivenUpRanges = 32;
// The shortest and the longest packet (RFC 6716 section 2.1.4): what one lost seq can have held.
constexpr std::int64_t kFrameUsMin = 2'500;
constexpr std::int64_t kFrameUsMax = 120'000;
// Two crystals differ by less: one microsecond in this many.
constexpr std::int64_t kSkewFollowed = 10'000;

/// a - b on a clock whose readings fit in 63 bits.
std::int64_t ahead_us(std::uint64_t a, std::uint64_t b) noexcept {
  return static_cast<std::int64_t>(a - b);
}

}  // namespace

JitterBuffer::JitterBuffer(const Options& options, DurationOf duration_of, Deliver deliver)
    : options_(options), duration_of_(std::move(duration_of)), deliver_(std::move(deliver)) {}

JitterBuffer::Inserted JitterBuffer::standing(const UplinkFrame& frame) const noexcept {
  if (started_ && frame.seq < next_seq_)
    return was_given_up(frame.seq) ? Inserted::kLate : Inserted::kDuplicate;
  if (waiting_.contains(frame.seq)) return Inserted::kDuplicate;
  return jumps(frame) ? Inserted::kJump : Inserted::kTaken;
}

JitterBuffer::Inserted JitterBuffer::insert(UplinkFrame&& frame, std::int64_t now_us) {
  const Inserted now = standing(frame);
  if (now != Inserted::kTaken) return now;
  const std::uint64_t seq = frame.seq;
  const std::int64_t duration_us = frame.payload.empty() ? 0 : duration_of_(frame);
  if (seq == 0) started_ = true;
  if (started_ && seq == next_seq_) {
    deliver_next({std::move(frame), now_us, duration_us});
  } else {
    waiting_.emplace(seq, Waiting{std::move(frame), now_us, duration_us});
  }
  drain();
  return Inserted::kTaken;
}

void JitterBuffer::tick(std::int64_t now_us) {
  const std::int64_t window_us = std::int64_t{options_.window_ms} * 1000;
  while (!waiting_.empty() && now_us - oldest_arrival_us() >= window_us) {
    give_up_missing();
    drain();
  }
}

void JitterBuffer::flush() {
  while (!waiting_.empty()) {
    give_up_missing();
    drain();
  }
}

bool JitterBuffer::was_given_up(std::uint64_t seq) const noexcept {
  return std::ranges::any_of(
      given_up_, [seq](const Range& range) { return seq >= range.begin && seq < range.end; });
}

/// Measured against the newest frame, waiting or delivered: a sender that keeps sending never
/// jumps, however far behind a missing frame is.
bool JitterBuffer::jumps(const UplinkFrame& frame) const noexcept {
  const std::int64_t jump_us = std::int64_t{options_.jump_ms_max} * 1000;
  const auto seqs_max = static_cast<std::uint64_t>(jump_us / last_duration_us_);
  if (waiting_.empty()) {
    if (!started_) return false;
    if (frame.seq - next_seq_ > seqs_max) return true;
    return expected_capture_us_ && ahead_us(frame.capture_us, *expected_capture_us_) > jump_us;
  }
  const Waiting& newest = waiting_.rbegin()->second;
  if (frame.seq > newest.frame.seq && frame.seq - newest.frame.seq - 1 > seqs_max) return true;
  return ahead_us(frame.capture_us, newest.frame.capture_us) - newest.duration_us > jump_us;
}

/// True when the frames that wait behind a missing one have waited long enough by themselves.
bool JitterBuffer::overdue() const noexcept {
  if (waiting_.size() > options_.frames_max) return true;
  const Waiting& oldest = waiting_.begin()->second;
  const Waiting& newest = waiting_.rbegin()->second;
  return ahead_us(newest.frame.capture_us, oldest.frame.capture_us) + newest.duration_us >=
         std::int64_t{options_.window_ms} * 1000;
}

std::int64_t JitterBuffer::oldest_arrival_us() const noexcept {
  return std::ranges::min_element(
             waiting_, {}, [](const auto& item) { return item.second.arrived_us; })
      ->second.arrived_us;
}

void JitterBuffer::drain() {
  for (;;) {
    while (started_ && !waiting_.empty() && waiting_.begin()->first == next_seq_) {
      Waiting next = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      deliver_next(std::move(next));
    }
    if (waiting_.empty() || !overdue()) return;
    give_up_missing();
  }
}

/// Lets the expected capture time follow the one that came, as fast as crystals drift apart.
void JitterBuffer::follow_skew(std::int64_t ahead_us, std::int64_t duration_us) noexcept {
  const std::int64_t step_us = std::max<std::int64_t>(duration_us / kSkewFollowed, 1);
  const std::int64_t followed_us = std::clamp(ahead_us, -step_us, step_us);
  *expected_capture_us_ += static_cast<std::uint64_t>(followed_us);
  skew_us_ += followed_us;
}

/// Delivers the frame that carries next_seq_, and before it the gap that its capture time tells.
void JitterBuffer::deliver_next(Waiting&& next) {
  ++next_seq_;
  const bool has_audio = !next.frame.payload.empty();
  if (has_audio) {
    const std::uint64_t capture_us = next.frame.capture_us;
    if (!expected_capture_us_) expected_capture_us_ = capture_us;
    const std::int64_t gap_us = ahead_us(capture_us, *expected_capture_us_);
    if (gap_us > std::int64_t{options_.gap_ms} * 1000) {
      deliver_silent_time(Output::Kind::kGap, gap_us);
    } else {
      follow_skew(gap_us, next.duration_us);
    }
    if (next.duration_us <= 0) {
      deliver_silent_time(Output::Kind::kLost, last_duration_us_);
      next.frame.payload.clear();
    } else {
      last_duration_us_ = next.duration_us;
      *expected_capture_us_ += static_cast<std::uint64_t>(next.duration_us);
    }
  }
  if (next.frame.payload.empty() && !next.frame.ends_track()) return;
  deliver_({Output::Kind::kFrame, std::move(next.frame), 0, next.arrived_us, {}});
}

void JitterBuffer::deliver_silent_time(Output::Kind kind,
                                       std::int64_t duration_us,
                                       std::span<const std::uint8_t> next) {
  *expected_capture_us_ += static_cast<std::uint64_t>(duration_us);
  deliver_({kind, {}, duration_us, 0, next});
}

/// The seqs before the first waiting frame will not be waited for any longer.
void JitterBuffer::give_up_missing() {
  const UplinkFrame& front = waiting_.begin()->second.frame;
  const std::uint64_t missing = front.seq - next_seq_;
  remember_given_up({next_seq_, front.seq});
  next_seq_ = front.seq;
  started_ = true;
  // Before the track's first frame there is no time that could have been lost.
  if (missing > 0 && expected_capture_us_)
    deliver_silent_time(Output::Kind::kLost, loss_us(missing, front.capture_us), front.payload);
}

std::int64_t JitterBuffer::loss_us(std::uint64_t missing,
                                   std::uint64_t next_capture_us) const noexcept {
  // Bounded by jumps(); clamped so that no arithmetic below depends on that.
  const auto frames = static_cast<std::int64_t>(std::min<std::uint64_t>(missing, 1'000'000));
  const std::int64_t captured_us = ahead_us(next_capture_us, *expected_capture_us_);
  if (captured_us >= frames * kFrameUsMin && captured_us <= frames * kFrameUsMax)
    return captured_us;
  return frames * last_duration_us_;
}

void JitterBuffer::remember_given_up(Range range) {
  if (range.begin == range.end) return;
  given_up_.push_back(range);
  if (given_up_.size() > kGivenUpRanges) given_up_.pop_front();
}

}  // namespace qylon::media

#include "realtime/meeting_watch.hpp"

#include <algorithm>
#include <string>

namespace qylon::realtime {
namespace {

// The next page is fetched when less than this waits: about 30 finals with words.
constexpr std::size_t kLowWaterBytes = 64 << 10;
// A live final is pushed while less than this waits; beyond it the ring keeps it for later.
constexpr std::size_t kPushedBytesMax = 256 << 10;
constexpr std::size_t kPageFinals = 64;
constexpr std::size_t kRingFinals = 32;
constexpr std::int64_t kHistoryPatienceUs = 20'000'000;

constexpr std::size_t index_of(Topic topic) {
  return static_cast<std::size_t>(topic);
}

}  // namespace

MeetingWatch::~MeetingWatch() {
  session_.parts_.fanout.remove_all(*this);
}

std::size_t MeetingWatch::topic_count() const noexcept {
  return static_cast<std::size_t>(std::count(topics_.begin(), topics_.end(), true));
}

void MeetingWatch::start(Topic topic, const std::optional<ResumeFrom>& from) {
  topics_[index_of(topic)] = true;
  session_.parts_.fanout.add(topic, *this);
  if (topic == Topic::kStatus) status_due_ = true;
  if (topic != Topic::kCaptions) return;
  cursor_.emplace(from);
  live_ = false;
  history_last_ = 0;
}

void MeetingWatch::stop(Topic topic) {
  topics_[index_of(topic)] = false;
  session_.parts_.fanout.remove(topic, *this);
  if (topic == Topic::kStatus) status_due_ = false;
  if (topic == Topic::kCaptions) cursor_.reset();
}

void MeetingWatch::send_status(const Frame& status) {
  status_due_ = false;
  if (status != nullptr) session_.port_.send(status);
}

void MeetingWatch::pump() {
  if (session_.failed()) return;
  if (status_due_) {
    const auto slice = session_.parts_.rings.read(meeting(), 0, 0);
    if (slice.status != nullptr) send_status(slice.status);
  }
  if (cursor_ && !live_) {
    pump_finals();
  } else if (status_due_) {
    ask(0);
  }
}

void MeetingWatch::pump_finals() {
  while (!live_ && !session_.failed() && session_.port_.queued_bytes() < kLowWaterBytes) {
    const auto slice = session_.parts_.rings.read(meeting(), cursor_->sent(), kRingFinals);
    const bool renumbered = slice.has_finals && !cursor_->is_epoch(slice.epoch);
    if (!cursor_->positioned() || renumbered) {
      if (!try_settle(slice)) return ask(kPageFinals);
      continue;
    }
    if (send_from_ring(slice)) continue;
    const std::uint64_t last = std::max(history_last_, slice.has_finals ? slice.last : 0);
    if (cursor_->sent() < last) return ask(kPageFinals);
    live_ = true;
  }
}

// The ring alone settles the position when it reaches back to what the subscriber has: no query.
bool MeetingWatch::try_settle(const MeetingRings::Slice& slice) {
  if (!slice.has_finals || cursor_->sent_in(slice.epoch) + 1 < slice.first) return false;
  settle(slice.epoch, slice.last);
  return true;
}

void MeetingWatch::settle(const Epoch& epoch, std::uint64_t last) {
  const CaptionCursor::Position position = cursor_->settle(epoch, last);
  if (position.unknown) {
    return session_.fail({ErrorCode::kNotFound,
                          4004,
                          "from.offset is beyond the meeting's newest offset " +
                              std::to_string(last) + "; subscribe without from"});
  }
  session_.port_.send(make_text_frame(encode_position({meeting(), Topic::kCaptions}, position)));
}

bool MeetingWatch::send_from_ring(const MeetingRings::Slice& slice) {
  bool sent = false;
  for (const auto& [offset, frame] : slice.finals) {
    if (!cursor_->next_is(offset)) continue;
    session_.port_.send(frame);
    cursor_->advance_to(offset);
    sent = true;
  }
  if (sent) seen_serial_ = slice.serial;
  return sent;
}

void MeetingWatch::ask(std::size_t limit) {
  if (session_.asking_ || session_.parts_.clock.monotonic_us() < retry_us_) return;
  session_.ask_history(*this, cursor_ ? cursor_->sent() : 0, limit);
}

void MeetingWatch::retry_later(const Error& error) {
  const std::int64_t now_us = session_.parts_.clock.monotonic_us();
  if (failing_since_us_ == 0) failing_since_us_ = now_us;
  if (now_us - failing_since_us_ > kHistoryPatienceUs)
    return session_.fail({ErrorCode::kUnavailable, 4007, error.message});
  const std::int64_t wait_ms = std::int64_t{250} << std::min(attempt_, 4);
  ++attempt_;
  retry_us_ = now_us + session_.parts_.jitter.between(wait_ms, wait_ms * 2) * 1000;
}

void MeetingWatch::on_page(const Result<History::Page>& page) {
  if (!page) {
    if (page.error().code == ErrorCode::kNotFound)
      return session_.fail({ErrorCode::kNotFound, 4507, page.error().message});
    return retry_later(page.error());
  }
  if (status_due_) send_status(page->status == nullptr ? nullptr : make_text_frame(*page->status));
  if (!cursor_ || live_) return;
  const bool settles = !cursor_->is_epoch(page->epoch);
  if (settles) {
    const auto slice = session_.parts_.rings.read(meeting(), 0, 0);
    const bool ring_counts = slice.has_finals && slice.epoch == page->epoch;
    settle(page->epoch, std::max(page->last_offset, ring_counts ? slice.last : 0));
    if (session_.failed()) return;
  }
  history_last_ = page->last_offset;
  const std::uint64_t sent_before = cursor_->sent();
  for (const auto& [offset, json] : page->finals) {
    if (!cursor_->next_is(offset)) continue;
    session_.port_.send(make_text_frame(*json));
    cursor_->advance_to(offset);
  }
  if (!settles && cursor_->sent() == sent_before)
    return retry_later({ErrorCode::kUnavailable, "the newest captions are not stored yet"});
  attempt_ = 0;
  failing_since_us_ = 0;
}

Footprint<7> MeetingWatch::footprint() const noexcept {
  static_assert(sizeof(MeetingWatch) <= 3 * kCacheLineBytes);
  const Footprint<3> port = session_.port_.footprint();
  return {this,
          address_in(this, kCacheLineBytes),
          address_in(this, 2 * kCacheLineBytes),
          &session_,
          port[0],
          port[1],
          port[2]};
}

void MeetingWatch::on_delivery(const Delivery& delivery) {
  if (session_.failed()) return;
  if (delivery.is_final()) return on_final(delivery);
  if (delivery.topic == Topic::kStatus) status_due_ = false;
  // An interim that is older than the finals already sent would bring a settled line back.
  const bool is_stale = delivery.topic == Topic::kCaptions &&
                        (!cursor_->positioned() || delivery.serial <= seen_serial_);
  if (!is_stale) session_.port_.send(delivery);
}

void MeetingWatch::on_final(const Delivery& delivery) {
  // While behind, the ring or the next page brings it.
  if (!live_) return;
  const bool same_numbering = cursor_->is_epoch(delivery.epoch);
  if (same_numbering && *delivery.offset <= cursor_->sent()) return;
  if (same_numbering && cursor_->next_is(*delivery.offset) &&
      session_.port_.queued_bytes() < kPushedBytesMax) {
    session_.port_.send(delivery);
    cursor_->advance_to(*delivery.offset);
    return;
  }
  on_finals_lost();
}

void MeetingWatch::on_finals_lost() {
  if (!cursor_ || !live_) return;
  live_ = false;
  session_.parts_.counters.finals_refetched.add();
  pump();
}

}  // namespace qylon::realtime

#include "realtime/outbox.hpp"

#include <utility>

namespace qylon::realtime {

Outbox::Pushed Outbox::append(Frame frame, std::int64_t now_us, const ConflationKey& key) {
  if (bytes_ + frame->size() > options_.bytes_hard) return Pushed::kOverflow;
  if (key.key != 0) waiting_[key] = base_ + entries_.size();
  bytes_ += frame->size();
  ++count_;
  entries_.push_back({std::move(frame), now_us, key});
  return Pushed::kQueued;
}

Outbox::Pushed Outbox::push(Frame frame, std::int64_t now_us) {
  return append(std::move(frame), now_us, {});
}

void Outbox::take_away(const ConflationKey& key) {
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return;
  Entry& entry = entries_[found->second - base_];
  bytes_ -= entry.frame->size();
  --count_;
  entry.frame = nullptr;
  waiting_.erase(found);
}

Outbox::Pushed Outbox::push(const Delivery& delivery, std::int64_t now_us) {
  if (delivery.conflation_key == 0) {
    if (!delivery.is_final() && bytes_ > options_.bytes_soft) return Pushed::kDropped;
    return append(delivery.frame, now_us, {});
  }
  const ConflationKey key = delivery.key();
  if (delivery.is_final()) {
    take_away(key);
    return append(delivery.frame, now_us, {});
  }
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) {
    if (bytes_ > options_.bytes_soft) return Pushed::kDropped;
    return append(delivery.frame, now_us, key);
  }
  // The age stays that of the message replaced: a reader that takes nothing still grows too slow.
  Entry& entry = entries_[found->second - base_];
  bytes_ = bytes_ - entry.frame->size() + delivery.frame->size();
  entry.frame = delivery.frame;
  return bytes_ > options_.bytes_hard ? Pushed::kOverflow : Pushed::kReplaced;
}

void Outbox::drop_taken() {
  while (head_ < entries_.size() && entries_[head_].frame == nullptr)
    ++head_;
  const bool all_taken = head_ == entries_.size();
  if (!all_taken && head_ < 64) return;
  if (!all_taken && head_ * 2 < entries_.size()) return;
  base_ += head_;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
  if (all_taken) entries_ = {};
}

void Outbox::take(std::size_t bytes_max, std::string& out) {
  while (head_ < entries_.size()) {
    Entry& entry = entries_[head_];
    if (entry.frame != nullptr) {
      if (!out.empty() && out.size() + entry.frame->size() > bytes_max) break;
      out.append(*entry.frame);
      bytes_ -= entry.frame->size();
      --count_;
      if (entry.key.key != 0) waiting_.erase(entry.key);
      entry.frame = nullptr;
    }
    ++head_;
  }
  drop_taken();
}

bool Outbox::too_slow(std::int64_t now_us) const noexcept {
  if (bytes_ > options_.bytes_hard) return true;
  for (std::size_t i = head_; i < entries_.size(); ++i) {
    if (entries_[i].frame != nullptr) return now_us - entries_[i].pushed_us > options_.age_max_us;
  }
  return false;
}

}  // namespace qylon::realtime

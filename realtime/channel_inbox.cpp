#include "realtime/channel_inbox.hpp"

#include <iterator>
#include <utility>

namespace qylon::realtime {

MessageChannel::Events ChannelInbox::events() {
  MessageChannel::Events events;
  events.on_open = [this] {
    const MutexLock lock(mutex_);
    opened_ = true;
    filled_.notify_all();
  };
  events.on_text = [this](std::string_view text) {
    const MutexLock lock(mutex_);
    if (text.size() > kTextBytesMax) {
      ++dropped_;
      return;
    }
    if (texts_.size() >= kTextsMax) {
      texts_.pop_front();
      ++dropped_;
    }
    texts_.emplace_back(text);
    filled_.notify_all();
  };
  events.on_binary = [](std::span<const std::uint8_t>) {};
  events.on_close = [this](int code, std::string_view reason) {
    const MutexLock lock(mutex_);
    closed_ = Closed{code, std::string(reason)};
    filled_.notify_all();
  };
  return events;
}

ChannelInbox::Taken ChannelInbox::take() {
  const MutexLock lock(mutex_);
  Taken taken;
  taken.opened = std::exchange(opened_, false);
  taken.texts.assign(std::make_move_iterator(texts_.begin()),
                     std::make_move_iterator(texts_.end()));
  texts_.clear();
  taken.closed = std::exchange(closed_, std::nullopt);
  return taken;
}

void ChannelInbox::clear() {
  take();
}

void ChannelInbox::wait_for(std::chrono::microseconds timeout) {
  const MutexLock lock(mutex_);
  if (empty()) filled_.wait_for(mutex_, timeout);
}

std::uint64_t ChannelInbox::dropped() const {
  const MutexLock lock(mutex_);
  return dropped_;
}

bool ChannelInbox::empty() const {
  return !opened_ && texts_.empty() && !closed_;
}

}  // namespace qylon::realtime

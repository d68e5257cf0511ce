#include "realtime/client_link.hpp"

#include <utility>

namespace qylon::realtime {

ClientLink::ClientLink(MessageChannel::Options options,
                       MessageChannel::Events events,
                       WsUrl url,
                       std::size_t prefix_bytes)
    : options_(std::move(options)),
      url_(std::move(url)),
      prefix_bytes_(prefix_bytes),
      events_(std::move(events)) {}

bool ClientLink::enqueue(std::string_view message, bool is_text) {
  std::string bytes(prefix_bytes_, '\0');
  bytes.append(message);
  const MutexLock lock(mutex_);
  if (closing_ || queued_bytes_ + message.size() > options_.send_buffer_bytes_max) return false;
  queued_bytes_ += message.size();
  queue_.push_back({is_text, std::move(bytes)});
  return true;
}

std::optional<ClientLink::Outgoing> ClientLink::next_outgoing() {
  const MutexLock lock(mutex_);
  if (queue_.empty() || detached_) return std::nullopt;
  Outgoing outgoing = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= outgoing.bytes.size() - prefix_bytes_;
  return outgoing;
}

void ClientLink::ask_to_close() {
  const MutexLock lock(mutex_);
  closing_ = true;
}

bool ClientLink::closing() const {
  const MutexLock lock(mutex_);
  return closing_;
}

bool ClientLink::detached() const {
  const MutexLock lock(mutex_);
  return detached_;
}

void ClientLink::detach() {
  const MutexLock lock(mutex_);
  detached_ = true;
  closing_ = true;
  while (calling_ && *calling_ != std::this_thread::get_id())
    idle_.wait(mutex_);
}

template <typename Call>
void ClientLink::call(const Call& callback) {
  {
    const MutexLock lock(mutex_);
    if (detached_) return;
    calling_ = std::this_thread::get_id();
  }
  callback();
  const MutexLock lock(mutex_);
  calling_.reset();
  idle_.notify_all();
}

void ClientLink::report_open() {
  opened_ = true;
  call([this] {
    if (events_.on_open) events_.on_open();
  });
}

bool ClientLink::report_part(std::string_view bytes, bool is_last, bool is_text) {
  if (message_.size() + bytes.size() > kReceivedBytesMax) return false;
  message_.append(bytes);
  if (!is_last) return true;
  const std::string message = std::exchange(message_, {});
  call([&] {
    if (is_text && events_.on_text) events_.on_text(message);
    if (!is_text && events_.on_binary) {
      const auto* const data = reinterpret_cast<const std::uint8_t*>(message.data());  // NOLINT
      events_.on_binary({data, message.size()});
    }
  });
  return true;
}

void ClientLink::note_peer_close(int code, std::string_view reason) {
  peer_code_ = code;
  peer_reason_ = reason;
}

void ClientLink::report_close(int code, std::string_view reason) {
  if (std::exchange(reported_close_, true)) return;
  ask_to_close();  // Nothing can be sent from here on.
  const int said = peer_code_ != 0 ? peer_code_ : code;
  const std::string why = peer_code_ != 0 ? peer_reason_ : std::string(reason);
  call([&] {
    if (events_.on_close) events_.on_close(said, why);
  });
}

}  // namespace qylon::realtime

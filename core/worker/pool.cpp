#include "core/worker/pool.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace qylon {
namespace {

constexpr std::int64_t kPauseMsMin = 100;
constexpr std::int64_t kPauseMsMax = 10'000;
constexpr std::size_t kWorkerPayloadMax = 1U << 20;  // Far above any transcript.

short wanted_events(const std::string& outgoing) {
  return static_cast<short>(outgoing.empty() ? POLLIN : POLLIN | POLLOUT);
}

}  // namespace

WorkerPool::~WorkerPool() {
  end_zygote(zygote_);  // Its workers die with it.
}

std::vector<PoolEvent> WorkerPool::wait(int wake_fd, int timeout_ms) {
  std::vector<PoolEvent> events;
  start_if_due(events);
  std::vector<pollfd> watched{{wake_fd, POLLIN, 0}, {zygote_.control.get(), POLLIN, 0}};
  std::vector<WorkerId> ids;
  for (auto& [id, link] : links_) {
    flush(link);
    watched.push_back({link.socket.get(), wanted_events(link.outgoing), 0});
    ids.push_back(id);
  }
  const int timeout = events.empty() ? bounded_timeout_ms(timeout_ms) : 0;
  if (::poll(watched.data(), watched.size(), timeout) <= 0) {
    start_if_due(events);
    return events;
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const short happened = watched[i + 2].revents;
    if ((happened & POLLOUT) != 0) flush(links_.at(ids[i]));
    if ((happened & (POLLIN | POLLHUP | POLLERR)) != 0) read_worker(ids[i], events);
  }
  if (watched[1].revents != 0) on_control(events);
  return events;
}

int WorkerPool::bounded_timeout_ms(int timeout_ms) const {
  if (state_ == State::kRunning) return timeout_ms;
  const std::int64_t due_us = state_ == State::kDown ? next_start_us_ : load_deadline_us_;
  const std::int64_t left_ms = std::max<std::int64_t>(0, due_us - clock_.monotonic_us()) / 1000 + 1;
  if (timeout_ms < 0) return static_cast<int>(std::min<std::int64_t>(left_ms, kPauseMsMax));
  return static_cast<int>(std::min<std::int64_t>(left_ms, timeout_ms));
}

void WorkerPool::start_if_due(std::vector<PoolEvent>& events) {
  const std::int64_t now_us = clock_.monotonic_us();
  if (state_ == State::kLoading && now_us >= load_deadline_us_) {
    lose_zygote("it did not load within " + std::to_string(options_.load_timeout_ms) + " ms",
                events);
    return;
  }
  if (state_ != State::kDown || now_us < next_start_us_) return;
  auto started = start_zygote(options_.program, options_.args);
  if (!started) {
    lose_zygote(started.error().message, events);
    return;
  }
  zygote_ = std::move(*started);
  state_ = State::kLoading;
  load_deadline_us_ = now_us + options_.load_timeout_ms * 1000;
}

void WorkerPool::on_control(std::vector<PoolEvent>& events) {
  std::array<char, 4096> bytes{};
  const ssize_t got = ::recv(zygote_.control.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    lose_zygote("the process that forks the workers ended", events);
    return;
  }
  FrameReader reader(bytes.size());
  reader.append({bytes.data(), static_cast<std::size_t>(got)});
  const auto frame = reader.next();
  if (!frame || !frame->has_value()) return;
  const std::string& payload = (*frame)->payload;
  if ((*frame)->type == ControlFrame::kReady) {
    state_ = State::kRunning;
    pause_ms_ = 0;
    events.push_back({PoolEvent::Kind::kZygoteReady, 0, {}, {}});
  } else if ((*frame)->type == ControlFrame::kFailure) {
    std::string text;
    if (!PayloadReader(payload).text(text, bytes.size())) text = "it did not say why";
    lose_zygote(std::move(text), events);
  } else if ((*frame)->type == ControlFrame::kExited) {
    on_exited(payload, events);
  }
}

void WorkerPool::on_exited(std::string_view payload, std::vector<PoolEvent>& events) {
  PayloadReader reader(payload);
  WorkerId worker = 0;
  std::string how;
  if (!reader.value(worker) || !reader.text(how, 1000)) return;
  if (ended_by_us_.erase(worker) > 0) return;
  log_.warn(options_.role + "_worker_lost", {{"worker", std::to_string(worker)}, {"how", how}});
  // What it wrote before its end is still in the socket.
  if (links_.contains(worker)) read_worker(worker, events);
  drop_worker(worker, std::move(how), events);
}

void WorkerPool::lose_zygote(std::string reason, std::vector<PoolEvent>& events) {
  log_.error(options_.role + "_zygote_lost", {{"reason", reason}});
  end_zygote(zygote_);
  state_ = State::kDown;
  pause_ms_ = std::clamp(pause_ms_ * 2, kPauseMsMin, kPauseMsMax);
  next_start_us_ = clock_.monotonic_us() + pause_ms_ * 1000;
  ended_by_us_.clear();
  while (!links_.empty())
    drop_worker(links_.begin()->first, "lost with its parent", events);
  events.push_back({PoolEvent::Kind::kZygoteFailed, 0, {}, std::move(reason)});
}

void WorkerPool::read_worker(WorkerId worker, std::vector<PoolEvent>& events) {
  const auto found = links_.find(worker);
  if (found == links_.end()) return;
  Link& link = found->second;
  std::array<char, 65536> bytes{};
  for (;;) {
    const ssize_t got = ::recv(link.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      drop_worker(worker, "its socket closed", events);
      return;
    }
    link.reader.append({bytes.data(), static_cast<std::size_t>(got)});
    if (!take_frames(worker, link, events)) {
      kill(worker);
      events.push_back({PoolEvent::Kind::kGone, worker, {}, "it broke the protocol"});
      return;
    }
    if (static_cast<std::size_t>(got) < bytes.size()) return;  // What comes later is polled for.
  }
}

bool WorkerPool::take_frames(WorkerId worker, Link& link, std::vector<PoolEvent>& events) {
  for (;;) {
    auto frame = link.reader.next();
    if (!frame) return false;
    if (!frame->has_value()) return true;
    events.push_back({PoolEvent::Kind::kFrame, worker, std::move(**frame), {}});
  }
}

void WorkerPool::drop_worker(WorkerId worker, std::string reason, std::vector<PoolEvent>& events) {
  if (links_.erase(worker) == 0) return;
  events.push_back({PoolEvent::Kind::kGone, worker, {}, std::move(reason)});
}

Result<WorkerId> WorkerPool::spawn() {
  auto ends = socket_pair(SOCK_STREAM);
  if (!ends) return ends.error();
  const WorkerId id = ++last_id_;
  tell_zygote(ControlFrame::kSpawn, id, ends->second.get());
  links_.emplace(id, Link{std::move(ends->first), FrameReader(kWorkerPayloadMax), {}});
  return id;
}

void WorkerPool::kill(WorkerId worker) {
  if (links_.erase(worker) == 0) return;
  ended_by_us_.insert(worker);
  tell_zygote(ControlFrame::kKill, worker, -1);
}

void WorkerPool::send(WorkerId worker, FrameType type, std::string_view payload) {
  const auto found = links_.find(worker);
  if (found == links_.end()) return;
  append_frame(found->second.outgoing, type, payload);
}

void WorkerPool::flush(Link& link) {
  std::size_t sent_bytes = 0;
  while (sent_bytes < link.outgoing.size()) {
    const ssize_t sent = ::send(link.socket.get(),
                                link.outgoing.data() + sent_bytes,
                                link.outgoing.size() - sent_bytes,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) break;  // Full: poll says when. Broken: the read side sees it.
    sent_bytes += static_cast<std::size_t>(sent);
  }
  link.outgoing.erase(0, sent_bytes);
}

void WorkerPool::tell_zygote(FrameType type, WorkerId worker, int attached_fd) {
  PayloadWriter writer;
  writer.value(worker);
  std::string bytes;
  append_frame(bytes, type, writer.bytes());
  send_message(zygote_.control.get(), bytes, attached_fd);
}

}  // namespace qylon

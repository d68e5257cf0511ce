#include "realtime/edge_server.hpp"

#include <cstring>
#include <utility>

#include <unistd.h>

#include "core/tls_files.hpp"
#include "realtime/acceptor.hpp"
#include "realtime/meeting_rings.hpp"
#include "realtime/memory_watch.hpp"
#include "realtime/net_thread.hpp"
#include "realtime/peer_table.hpp"

namespace qylon::realtime {
namespace {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  const Uuid uuid = Uuid::random();
  std::memcpy(&seed, uuid.bytes.data(), sizeof(seed));
  return seed;
}

class Edge final : public EdgeServer, private Hub {
 public:
  Edge(const Options& options, const Parts& parts)
      : parts_(parts),
        counters_(parts.counters),
        memory_(
            {options.memory_bytes_max > 0 ? options.memory_bytes_max : memory_of_machine_bytes(),
             resident_bytes}),
        rings_(MeetingRings::Options{}),
        peers_({options.connections_max,
                options.connections_per_peer_max,
                options.accepts_per_peer_per_s}),
        newcomers_(options.newcomers_max, counters_.newcomers) {}
  ~Edge() override;

  Status start(const Options& options);
  int port() const noexcept override { return acceptor_->port(); }
  Hub& hub() noexcept override { return *this; }
  void for_each_net_thread(const std::function<void()>& task) override;
  void drain() override;
  Status reload_tls() override;

 private:
  void publish(Publication publication) override;
  void close_meeting_uplinks(MeetingId meeting) override;
  void retire_meeting(MeetingId meeting) override { rings_.retire(meeting); }
  void on_accept(int fd, PeerAddress peer);
  bool has_room();

  const Parts parts_;  // Constant after construction.
  EdgeCounters counters_;
  MemoryWatch memory_;
  MeetingRings rings_;
  PeerTable peers_;
  Newcomers newcomers_;
  std::string certificate_path_;                         // Constant after start().
  std::string key_path_;                                 // Constant after start().
  std::vector<std::unique_ptr<NetThread>> net_threads_;  // Constant after start().
  std::unique_ptr<Acceptor> acceptor_;                   // Constant after start().
  std::size_t next_thread_ = 0;                          // Acceptor's thread.
  bool has_room_ = true;                                 // Acceptor's thread.
};

Status Edge::start(const Options& options) {
  if (options.net_threads < 1 || options.net_threads > 64)
    return Error{ErrorCode::kInvalidArgument, "net_threads must be from 1 to 64"};
  certificate_path_ = options.tls_certificate_path;
  key_path_ = options.tls_key_path;
  if (!certificate_path_.empty()) {
    const Status usable = check_tls_files(certificate_path_, key_path_);
    if (!usable) return usable;
  }
  NetThread::Options net;
  net.tls_certificate_path = options.tls_certificate_path;
  net.tls_key_path = options.tls_key_path;
  net.rules = {options.allowed_origins, options.http_body_bytes_max};
  net.further_sessions = options.further_sessions;
  net.http_reply_timeout_ms = options.http_reply_timeout_ms;
  for (int i = 0; i < options.net_threads; ++i) {
    net.jitter_seed = random_seed();
    auto thread = NetThread::start(
        net, {parts_, rings_, counters_, memory_, newcomers_, [this](const PeerAddress& peer) {
                peers_.release(peer);
              }});
    if (!thread) return thread.error();
    net_threads_.push_back(*std::move(thread));
  }
  auto acceptor = Acceptor::start(
      {options.host, options.port, options.also_ports},
      [this] { return has_room(); },
      [this](int fd, PeerAddress peer) { on_accept(fd, std::move(peer)); });
  if (!acceptor) return acceptor.error();
  acceptor_ = *std::move(acceptor);
  parts_.log.info("edge_listens", {{"port", std::to_string(acceptor_->port())}});
  return ok();
}

Edge::~Edge() {
  acceptor_.reset();
  net_threads_.clear();
}

bool Edge::has_room() {
  const bool had_room = std::exchange(has_room_, !newcomers_.is_full());
  if (had_room && !has_room_) counters_.accept_pauses.add();
  return has_room_;
}

void Edge::on_accept(int fd, PeerAddress peer) {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  const bool has_memory = memory_.level(now_us) == MemoryWatch::Level::kFine;
  if (!has_memory) counters_.memory_refusals.add();
  if (!has_memory || !peers_.admit(peer, now_us)) {
    counters_.refused_connections.add();
    ::close(fd);
    return;
  }
  net_threads_[next_thread_++ % net_threads_.size()]->adopt(
      fd, std::move(peer), Newcomers::Place(newcomers_, now_us));
}

void Edge::for_each_net_thread(const std::function<void()>& task) {
  for (const auto& thread : net_threads_)
    thread->post(task);
}

void Edge::drain() {
  acceptor_->stop();
  for (const auto& thread : net_threads_)
    thread->drain();
}

Status Edge::reload_tls() {
  if (certificate_path_.empty()) return ok();
  const Status usable = check_tls_files(certificate_path_, key_path_);
  if (!usable) return usable;
  for (const auto& thread : net_threads_)
    thread->reload_tls();
  return ok();
}

void Edge::publish(Publication publication) {
  QYLON_CHECK(publication.json != nullptr);
  const DeliveryPtr delivery = rings_.add({publication.meeting,
                                           publication.epoch,
                                           publication.topic,
                                           make_text_frame(*publication.json),
                                           publication.offset,
                                           publication.conflation_key,
                                           0});
  for (const auto& thread : net_threads_) {
    if (thread->deliver(delivery) == NetMailbox::Pushed::kDropped) counters_.messages_dropped.add();
  }
}

void Edge::close_meeting_uplinks(MeetingId meeting) {
  for (const auto& thread : net_threads_)
    thread->close_meeting_uplinks(meeting);
}

}  // namespace

Result<std::unique_ptr<EdgeServer>> EdgeServer::start(const Options& options, const Parts& parts) {
  auto edge = std::make_unique<Edge>(options, parts);
  const Status started = edge->start(options);
  if (!started) return started.error();
  return std::unique_ptr<EdgeServer>(std::move(edge));
}

}  // namespace qylon::realtime

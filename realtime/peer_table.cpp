#include "realtime/peer_table.hpp"

namespace qylon::realtime {

void PeerTable::sweep(std::int64_t now_us) {
  for (auto at = peers_.begin(); at != peers_.end();) {
    const bool forgotten =
        at->second.connections == 0 && at->second.accepts.try_take(burst(), now_us);
    at = forgotten ? peers_.erase(at) : std::next(at);
  }
}

bool PeerTable::admit(const PeerAddress& peer, std::int64_t now_us) {
  const MutexLock lock(mutex_);
  if (connections_ >= options_.connections_max) return false;
  if (peer.is_loopback) {
    ++connections_;
    return true;
  }
  if (peers_.size() >= kSweepAt) sweep(now_us);
  const TokenBucket::Options rate{static_cast<double>(options_.accepts_per_peer_per_s), burst()};
  Peer& known = peers_.try_emplace(peer.text, Peer{0, TokenBucket(rate, now_us)}).first->second;
  if (known.connections >= options_.connections_per_peer_max) return false;
  if (!known.accepts.try_take(1.0, now_us)) return false;
  ++known.connections;
  ++connections_;
  return true;
}

void PeerTable::release(const PeerAddress& peer) {
  const MutexLock lock(mutex_);
  --connections_;
  if (peer.is_loopback) return;
  const auto found = peers_.find(peer.text);
  if (found != peers_.end() && found->second.connections > 0) --found->second.connections;
}

std::size_t PeerTable::connections() const {
  const MutexLock lock(mutex_);
  return connections_;
}

}  // namespace qylon::realtime

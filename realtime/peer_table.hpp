#pragma once
/// How many connections each address holds and how fast it opens new ones.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "core/sync.hpp"
#include "core/token_bucket.hpp"
#include "realtime/connection.hpp"

namespace qylon::realtime {

/// Threads : every method is safe from any thread.
/// Bounds  : an address is remembered while it holds connections or its bucket is not full again;
///           the full ones are swept when kSweepAt addresses are known.
class PeerTable {
 public:
  struct Options {
    std::size_t connections_max = 15'000;       ///< All peers together.
    std::size_t connections_per_peer_max = 64;  ///< Loopback is exempt.
    std::size_t accepts_per_peer_per_s = 20;    ///< Loopback is exempt.
  };

  explicit PeerTable(const Options& options) : options_(options) {}

  /// Counts a new connection, or returns false when a limit is reached.
  bool admit(const PeerAddress& peer, std::int64_t now_us) QYLON_EXCLUDES(mutex_);
  /// The counterpart of an admit() that returned true.
  void release(const PeerAddress& peer) QYLON_EXCLUDES(mutex_);
  std::size_t connections() const QYLON_EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kSweepAt = 4096;
  struct Peer {
    std::size_t connections = 0;
    TokenBucket accepts;
  };
  void sweep(std::int64_t now_us) QYLON_REQUIRES(mutex_);
  double burst() const noexcept {
    return 2.0 * static_cast<double>(options_.accepts_per_peer_per_s);
  }

  const Options options_;  // Constant after construction.
  mutable Mutex mutex_;
  std::unordered_map<std::string, Peer> peers_ QYLON_GUARDED_BY(mutex_);
  std::size_t connections_ QYLON_GUARDED_BY(mutex_) = 0;
};

}  // namespace qylon::realtime

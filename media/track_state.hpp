#pragma once

#include <atomic>
#include <cstdint>

#include "media/durable_mark.hpp"

namespace qylon::media {

/// What the net threads may see of a track without asking its shard.
/// Threads: every member is safe from any thread.
struct TrackState {
  std::atomic<std::uint64_t> owner{0};     ///< Rises with each connection; the newest owns.
  std::atomic<std::uint64_t> next_seq{0};  ///< See TrackUplink::next_seq().
  DurableMark durable;                     ///< See TrackUplink::durable_seq().
  std::atomic<std::int64_t> heard_ms{0};   ///< Audio decoded so far, gaps included.
  std::atomic<bool> ended{false};          ///< The meeting takes no more audio.
  std::atomic<bool> jumped{false};         ///< The last connection sent an impossible sequence.
};

}  // namespace qylon::media

#pragma once
/// Frames that wait until one connection can take them.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "realtime/delivery.hpp"

namespace qylon::realtime {

/// Order is kept. A newer message replaces a waiting one with its key in place; a final takes the
/// waiting interim of its segment away.
///
/// Cost    : amortised O(1) a message; an empty outbox owns no memory.
/// Threads : one object per connection, its net thread.
/// Bounds  : Options. Over bytes_soft an interim, status or level that replaces nothing is dropped;
///           over bytes_hard, or when the oldest waits longer than age_max_us, the reader is too
///           slow and its connection is to be closed.
class Outbox {
 public:
  struct Options {
    std::size_t bytes_soft = 256 << 10;
    std::size_t bytes_hard = 1 << 20;
    std::int64_t age_max_us = 10'000'000;
  };
  enum class Pushed : std::uint8_t { kQueued, kReplaced, kDropped, kOverflow };

  Outbox() : Outbox(Options{}) {}
  explicit Outbox(const Options& options) : options_(options) {}

  /// A frame that is never dropped.
  Pushed push(Frame frame, std::int64_t now_us);
  Pushed push(const Delivery& delivery, std::int64_t now_us);
  /// Appends whole frames to `out` while it holds less than `bytes_max`; at least one frame.
  void take(std::size_t bytes_max, std::string& out);

  bool empty() const noexcept { return count_ == 0; }
  std::size_t bytes() const noexcept { return bytes_; }
  bool too_slow(std::int64_t now_us) const noexcept;

 private:
  struct Entry {
    Frame frame;  // Null: taken away.
    std::int64_t pushed_us = 0;
    ConflationKey key;  // key.key == 0: not replaceable.
  };
  Pushed append(Frame frame, std::int64_t now_us, const ConflationKey& key);
  void take_away(const ConflationKey& key);
  void drop_taken();

  std::size_t count_ = 0;  // Frames that wait.
  Options options_;        // Constant after construction.
  std::vector<Entry> entries_;
  std::size_t head_ = 0;    // entries_[0, head_) were taken.
  std::uint64_t base_ = 0;  // Sequence number of entries_[0].
  std::size_t bytes_ = 0;   // Of the frames that wait.
  std::unordered_map<ConflationKey, std::uint64_t, ConflationKeyHash> waiting_;
};

}  // namespace qylon::realtime

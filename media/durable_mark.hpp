#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/sync.hpp"

namespace qylon::media {

/// How far a track's audio is on disk, as the journal reports it frame by frame.
///
/// Threads : every method is safe from any thread.
class DurableMark {
 public:
  /// Numbering starts anew and everything below `seq` is on disk; what is still to be reported of
  /// the numbering before no longer counts.
  void restart(std::uint64_t seq) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    ++numbering_;
    seq_ = seq;
    settled_ = seq;
    waiting_ = 0;
    refused_ = 0;
  }
  /// A frame goes to the journal, before it counts as settled. Names the numbering for reports.
  std::uint64_t on_journal() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    ++waiting_;
    return numbering_;
  }
  /// Every seq below is settled: on its way to the disk, or given up as lost.
  void settle(std::uint64_t seq) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    settled_ = seq;
  }
  /// A frame is on disk, after which every seq below `settled` is. `was_refused`: the disk had
  /// refused it first.
  void synced(std::uint64_t numbering, std::uint64_t settled, bool was_refused)
      QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (numbering != numbering_) return;
    --waiting_;
    if (was_refused) --refused_;
    seq_ = std::max(seq_, settled);
  }
  /// A frame is not on disk: until it is, nothing can be promised.
  void refused(std::uint64_t numbering) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (numbering == numbering_) ++refused_;
  }
  /// Every seq below is on disk; nothing while one of them was refused.
  std::optional<std::uint64_t> seq() const QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (refused_ > 0) return std::nullopt;
    return waiting_ == 0 ? settled_ : seq_;
  }

 private:
  mutable Mutex mutex_;
  std::uint64_t numbering_ QYLON_GUARDED_BY(mutex_) = 0;
  std::uint64_t seq_ QYLON_GUARDED_BY(mutex_) = 0;
  std::uint64_t settled_ QYLON_GUARDED_BY(mutex_) = 0;
  std::uint64_t waiting_ QYLON_GUARDED_BY(mutex_) = 0;  // Frames not reported as on disk.
  std::uint64_t refused_ QYLON_GUARDED_BY(mutex_) = 0;  // Those of them that the disk refused.
};

}  // namespace qylon::media

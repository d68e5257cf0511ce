#pragma once
/// The keys that seal the journal: one a meeting, each sealed by the master key.

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/seal.hpp"
#include "core/sync.hpp"

namespace qylon::storage {

/// A directory of key files. Without its file a meeting's sealed records cannot be read by anybody:
/// forgetting a key erases them wherever copies of them lie.
///
/// Threads : every method is safe from any thread; create() and forget() write and sync a file.
class MeetingKeys {
 public:
  using Key = std::shared_ptr<const SealKey>;

  /// Reads the master key from `master_path`, 64 hexadecimal digits in a file that others cannot
  /// read, and the keys in `dir`, which is created when missing.
  /// Null when `master_path` is empty: nothing is sealed.
  /// Errors: kInvalidArgument when the file is not such a key, is not the key that `dir` was sealed
  ///         with, or is missing although `dir` was sealed; kUnavailable for the disk's errors.
  static Result<std::unique_ptr<MeetingKeys>> open(const std::string& dir,
                                                   const std::string& master_path);

  /// The meeting's key, made and on disk if there was none. Errors: kUnavailable.
  Result<Key> create(MeetingId meeting) QYLON_EXCLUDES(mutex_);
  /// Null when there is none.
  Key find(MeetingId meeting) const QYLON_EXCLUDES(mutex_);
  /// Deletes the meeting's key. Errors: kUnavailable.
  Status forget(MeetingId meeting) QYLON_EXCLUDES(mutex_);
  std::vector<MeetingId> meetings() const QYLON_EXCLUDES(mutex_);

 private:
  MeetingKeys(std::string dir, const SealKey& master) : dir_(std::move(dir)), master_(master) {}
  Status check_master();
  Status load();

  const std::string dir_;  // Constant after construction, like the next one.
  const SealKey master_;
  mutable Mutex mutex_;
  std::unordered_map<MeetingId, Key> keys_ QYLON_GUARDED_BY(mutex_);
};

}  // namespace qylon::storage

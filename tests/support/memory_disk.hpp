#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/sync.hpp"
#include "storage/spool_disk.hpp"

namespace qylon::test {

/// A disk in memory that fails when told to. The state outlives the SpoolDisk that a journal owns,
/// as a real disk does. Threads: safe from any.
class MemoryDiskState {
 public:
  /// The next `count` calls of this kind fail.
  void fail_creates(int count) { set(create_failures_, count); }
  void fail_writes(int count) { set(write_failures_, count); }
  void fail_syncs(int count) { set(sync_failures_, count); }
  /// Of a disk of 1 TiB.
  void set_free_bytes(std::int64_t bytes) {
    const MutexLock lock(mutex_);
    free_bytes_ = bytes;
  }
  std::vector<std::uint64_t> numbers() const {
    const MutexLock lock(mutex_);
    std::vector<std::uint64_t> result;
    for (const auto& [number, bytes] : synced_)
      result.push_back(number);
    return result;
  }
  /// What a crash would leave of the segment.
  std::vector<std::uint8_t> synced(std::uint64_t number) const {
    const MutexLock lock(mutex_);
    const auto found = synced_.find(number);
    return found == synced_.end() ? std::vector<std::uint8_t>() : found->second;
  }
  /// Syncs that succeeded.
  int syncs() const {
    const MutexLock lock(mutex_);
    return syncs_;
  }

  // For the disk below.
  bool create(std::uint64_t number) {
    const MutexLock lock(mutex_);
    if (take(create_failures_)) return false;
    synced_[number];
    return true;
  }
  bool write() {
    const MutexLock lock(mutex_);
    return !take(write_failures_);
  }
  bool sync(std::uint64_t number, const std::vector<std::uint8_t>& bytes) {
    const MutexLock lock(mutex_);
    if (take(sync_failures_)) return false;
    synced_[number] = bytes;
    ++syncs_;
    return true;
  }
  void remove(std::uint64_t number) {
    const MutexLock lock(mutex_);
    synced_.erase(number);
  }
  storage::DiskSpace space() const {
    const MutexLock lock(mutex_);
    return {free_bytes_, std::int64_t{1} << 40};
  }

 private:
  void set(int& failures, int count) {
    const MutexLock lock(mutex_);
    failures = count;
  }
  static bool take(int& failures) { return failures > 0 && failures-- > 0; }

  mutable Mutex mutex_;
  std::map<std::uint64_t, std::vector<std::uint8_t>> synced_;
  int create_failures_ = 0;
  int write_failures_ = 0;
  int sync_failures_ = 0;
  int syncs_ = 0;
  std::int64_t free_bytes_ = std::int64_t{1} << 40;
};

class MemoryDisk final : public storage::SpoolDisk {
 public:
  explicit MemoryDisk(MemoryDiskState& state) : state_(state) {}

  Result<std::vector<std::uint64_t>> list() override { return state_.numbers(); }
  Result<std::vector<std::uint8_t>> read(std::uint64_t number,
                                         std::size_t offset,
                                         std::size_t bytes_max) const override {
    auto bytes = state_.synced(number);
    bytes.erase(bytes.begin(),
                bytes.begin() + static_cast<std::ptrdiff_t>(std::min(offset, bytes.size())));
    bytes.resize(std::min(bytes.size(), bytes_max));
    return bytes;
  }
  Result<std::unique_ptr<storage::SpoolFile>> create(std::uint64_t number, std::size_t) override {
    if (!state_.create(number)) return Error{ErrorCode::kUnavailable, "no space (rehearsed)"};
    return std::unique_ptr<storage::SpoolFile>(std::make_unique<File>(state_, number));
  }
  Status sync(std::uint64_t) override { return ok(); }  // Only what was synced survived.
  Status remove(std::uint64_t number) override {
    state_.remove(number);
    return ok();
  }
  Result<storage::DiskSpace> space() override { return state_.space(); }

 private:
  class File final : public storage::SpoolFile {
   public:
    File(MemoryDiskState& state, std::uint64_t number) : state_(state), number_(number) {}
    Status write(std::span<const std::uint8_t> bytes) override {
      if (!state_.write()) return Error{ErrorCode::kUnavailable, "write error (rehearsed)"};
      bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
      return ok();
    }
    Status sync() override {
      if (!state_.sync(number_, bytes_))
        return Error{ErrorCode::kUnavailable, "I/O error (rehearsed)"};
      return ok();
    }

   private:
    MemoryDiskState& state_;
    const std::uint64_t number_;
    std::vector<std::uint8_t> bytes_;
  };

  MemoryDiskState& state_;
};

}  // namespace qylon::test

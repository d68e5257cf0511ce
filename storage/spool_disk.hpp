#pragma once
/// What the journal needs of a file system, so that its failures can be rehearsed.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace qylon::storage {

/// A segment being written. Threads: one at a time.
class SpoolFile {
 public:
  SpoolFile() = default;
  virtual ~SpoolFile() = default;
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  SpoolFile(SpoolFile&&) = delete;
  SpoolFile& operator=(SpoolFile&&) = delete;

  /// Appends all of `bytes`. After an error the file must not be used again.
  virtual Status write(std::span<const std::uint8_t> bytes) = 0;
  /// Returns when what was written is on the disk. After an error: as above.
  virtual Status sync() = 0;
};

struct DiskSpace {
  std::int64_t free_bytes = 0;  ///< That we may still use.
  std::int64_t total_bytes = 0;
};

/// One directory of segments, named by number. Threads: one at a time, but read() on any.
class SpoolDisk {
 public:
  SpoolDisk() = default;
  virtual ~SpoolDisk() = default;
  SpoolDisk(const SpoolDisk&) = delete;
  SpoolDisk& operator=(const SpoolDisk&) = delete;
  SpoolDisk(SpoolDisk&&) = delete;
  SpoolDisk& operator=(SpoolDisk&&) = delete;

  /// Rising.
  virtual Result<std::vector<std::uint64_t>> list() = 0;
  /// Up to `bytes_max` bytes of the segment from `offset` on.
  virtual Result<std::vector<std::uint8_t>> read(std::uint64_t number,
                                                 std::size_t offset,
                                                 std::size_t bytes_max) const = 0;
  /// A new file of `bytes` zeros whose space and name are on the disk.
  virtual Result<std::unique_ptr<SpoolFile>> create(std::uint64_t number, std::size_t bytes) = 0;
  /// Returns when what an earlier process left in the segment is on the disk, as read() shows it.
  virtual Status sync(std::uint64_t number) = 0;
  virtual Status remove(std::uint64_t number) = 0;
  virtual Result<DiskSpace> space() = 0;
};

inline constexpr std::size_t kSegmentFileBytesMax = 1 << 30;

/// The real one. Errors of its methods: kUnavailable with path, call and errno's text.
/// Holds a lock on the directory. Errors: kUnavailable; kConflict when another process holds it.
Result<std::unique_ptr<SpoolDisk>> open_spool_disk(const std::string& dir);

}  // namespace qylon::storage

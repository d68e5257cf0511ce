#pragma once
/// The bytes of files, on the local disk.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace qylon::api {

/// One file for each blob below `dir`, named by its UUID alone: what users call their files never
/// reaches the file system.
///
/// Threads : any; one writer at a time for each blob.
/// Errors  : kUnavailable when the disk refuses.
class FileStore {
 public:
  explicit FileStore(std::string dir) : dir_(std::move(dir)) {}

  /// Puts `bytes` at `offset`; what an earlier try left behind it is cut off.
  Status write(const std::string& blob, std::int64_t offset, std::string_view bytes) const;
  /// SHA-256 of all of it in hexadecimal, once it is on the disk. Reads 64 KiB at a time.
  Result<std::string> finish(const std::string& blob) const;
  void remove(const std::string& blob) const;
  /// REQUIRES: `blob` is a UUID that PostgreSQL wrote.
  std::string path(const std::string& blob) const;

 private:
  std::string dir_;
};

}  // namespace qylon::api

#pragma once
/// The segment that is being written.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/result.hpp"
#include "storage/journal_record.hpp"
#include "storage/meeting_keys.hpp"
#include "storage/segment_shelf.hpp"
#include "storage/spool_disk.hpp"

namespace qylon::storage {

/// Records on their way into one segment, a group at a time.
///
/// Sealing : with `keys`, which may be null, each payload is sealed with its meeting's.
/// Threads : one at a time.
class SegmentWriter {
 public:
  /// `file` is new and has room for `bytes_max` bytes. The header is written with the first group.
  SegmentWriter(std::unique_ptr<SpoolFile> file,
                const SegmentHeader& header,
                std::size_t bytes_max,
                MeetingKeys* keys);

  std::uint64_t number() const noexcept { return number_; }
  std::uint32_t seed() const noexcept { return seed_; }
  /// With what is added and not written yet.
  std::size_t used_bytes() const noexcept { return used_bytes_; }
  bool fits(const Record& record) const noexcept;
  /// REQUIRES: the meeting's key is in `keys`. A record that does not fit lengthens the file.
  void add(const Record& record);
  /// Writes and syncs what was added, and says where it lies. After an error the segment must not
  /// be used again.
  Result<std::vector<RecordNote>> flush();

 private:
  std::size_t stored_bytes(const Record& record) const noexcept;

  std::unique_ptr<SpoolFile> file_;
  std::uint64_t number_;
  std::uint32_t seed_;
  std::size_t bytes_max_;
  MeetingKeys* keys_;
  std::size_t used_bytes_ = kSegmentHeaderBytes;
  std::vector<std::uint8_t> buffer_;
  std::vector<RecordNote> notes_;  // Of what the buffer holds.
};

}  // namespace qylon::storage

#include "storage/segment_writer.hpp"

#include <utility>

#include "core/check.hpp"

namespace qylon::storage {

SegmentWriter::SegmentWriter(std::unique_ptr<SpoolFile> file,
                             const SegmentHeader& header,
                             std::size_t bytes_max,
                             MeetingKeys* keys)
    : file_(std::move(file)),
      number_(header.number),
      seed_(header.seed()),
      bytes_max_(bytes_max),
      keys_(keys),
      buffer_(encode_segment_header(header)) {}

std::size_t SegmentWriter::stored_bytes(const Record& record) const noexcept {
  return record_bytes(record.payload.size() + (keys_ == nullptr ? 0 : SealKey::kOverheadBytes));
}

bool SegmentWriter::fits(const Record& record) const noexcept {
  return used_bytes_ + stored_bytes(record) <= bytes_max_;
}

void SegmentWriter::add(const Record& record) {
  const std::size_t bytes = stored_bytes(record);
  Record stored = record;
  stored.begins_group = notes_.empty();
  if (keys_ != nullptr) {
    const auto key = keys_->find(record.meeting);
    QYLON_CHECK(key != nullptr);  // The spool has made it.
    seal_record(*key, stored);
  }
  encode_record(stored, seed_, buffer_);
  notes_.push_back({record.type, record.meeting, record.seq, used_bytes_, bytes});
  used_bytes_ += bytes;
}

Result<std::vector<RecordNote>> SegmentWriter::flush() {
  Status status = file_->write(buffer_);
  if (status) status = file_->sync();
  if (!status) return status.error();
  buffer_.clear();
  return std::exchange(notes_, {});
}

}  // namespace qylon::storage

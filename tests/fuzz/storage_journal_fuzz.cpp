#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/check.hpp"
#include "storage/caption_record.hpp"
#include "storage/journal_record.hpp"

using qylon::storage::Record;
using qylon::storage::RecordType;

namespace {

/// A caption that parses must encode to the bytes it came from.
void check_caption(const Record& record) {
  const auto caption = qylon::storage::parse_caption_record(record);
  if (!caption) return;
  QYLON_CHECK(qylon::storage::make_caption_record(*caption).payload == record.payload);
}

}  // namespace

/// The input is the part of a segment after its header, so that the checksum over the random
/// identity does not hide the scanner; and once more as the payload of a caption.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> input(data, size);
  const qylon::storage::SegmentHeader header{};
  auto segment = qylon::storage::encode_segment_header(header);
  segment.insert(segment.end(), input.begin(), input.end());
  const auto report = qylon::storage::scan_segment(segment, check_caption);
  QYLON_CHECK(report.end + report.bytes_cut <= segment.size());

  Record caption;
  caption.type = RecordType::kCaption;
  caption.seq = 1;
  caption.payload.assign(input.begin(), input.end());
  check_caption(caption);

  // A valid record before and after the noise must be found whatever the noise is.
  if (size <= qylon::storage::kRecordPayloadBytesMax) {
    auto around = qylon::storage::encode_segment_header(header);
    qylon::storage::encode_record(caption, header.seed(), around);
    around.insert(around.end(), input.begin(), input.end());
    around.resize((around.size() + 7) / 8 * 8);
    Record last;
    last.seq = 77;
    qylon::storage::encode_record(last, header.seed(), around);
    bool found = false;
    qylon::storage::scan_segment(
        around, [&found](const Record& record) { found = found || record.seq == 77; });
    QYLON_CHECK(found);
  }
  return 0;
}

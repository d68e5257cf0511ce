#include "storage/journal_record.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/check.hpp"
#include "storage/bytes.hpp"
#include "storage/crc32c.hpp"

namespace qylon::storage {
namespace {

constexpr std::array<std::uint8_t, 8> kMagic{'Q', 'Y', 'L', 'O', 'N', 'J', 'R', 'N'};
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderCopyBytes = kSegmentHeaderBytes / 2;
constexpr std::size_t kHeaderCrcAt = 12;  // In the segment header, after magic and version.
constexpr std::size_t kAlignment = 8;
constexpr std::uint8_t kSealedFlag = 1;
constexpr std::uint8_t kBeginsGroupFlag = 2;

template <typename T>
T load(std::span<const std::uint8_t> bytes, std::size_t at) noexcept {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

template <typename T>
void store(std::span<std::uint8_t> bytes, std::size_t at, T value) noexcept {
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}

std::uint32_t segment_header_crc(std::span<const std::uint8_t> bytes) noexcept {
  constexpr std::array<std::uint8_t, 4> kZero{};
  const std::uint32_t before = crc32c(bytes.first(kHeaderCrcAt));
  return crc32c(bytes.subspan(kHeaderCrcAt + 4, kHeaderCopyBytes - kHeaderCrcAt - 4),
                crc32c(kZero, before));
}

/// REQUIRES: kHeaderCopyBytes bytes.
std::optional<SegmentHeader> decode_header_copy(std::span<const std::uint8_t> bytes) noexcept {
  if (!std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) return std::nullopt;
  if (load<std::uint32_t>(bytes, 8) != kVersion) return std::nullopt;
  if (load<std::uint32_t>(bytes, kHeaderCrcAt) != segment_header_crc(bytes)) return std::nullopt;
  SegmentHeader header;
  std::copy_n(bytes.begin() + 16, 16, header.epoch.bytes.begin());
  header.number = load<std::uint64_t>(bytes, 32);
  header.created_us = load<std::int64_t>(bytes, 40);
  return header;
}

bool known_type(std::uint8_t type) noexcept {
  return type >= static_cast<std::uint8_t>(RecordType::kAudio) &&
         type <= static_cast<std::uint8_t>(RecordType::kMeetingEnded);
}

/// Reads the record that begins with `bytes`; false when there is no valid one.
bool decode_record(std::span<const std::uint8_t> bytes, std::uint32_t seed, Record& record) {
  if (bytes.size() < kRecordHeaderBytes) return false;
  const auto header = bytes.subspan(4, kRecordHeaderBytes - 4);
  if (crc32c(header, seed) != load<std::uint32_t>(bytes, 0)) return false;
  const auto payload_bytes = load<std::uint32_t>(bytes, 4);
  if (payload_bytes > kStoredPayloadBytesMax || !known_type(bytes[12])) return false;
  if (payload_bytes > bytes.size() - kRecordHeaderBytes) return false;
  const auto payload = bytes.subspan(kRecordHeaderBytes, payload_bytes);
  if (crc32c(payload, seed) != load<std::uint32_t>(bytes, 8)) return false;
  record.type = static_cast<RecordType>(bytes[12]);
  record.sealed = (bytes[13] & kSealedFlag) != 0;
  record.begins_group = (bytes[13] & kBeginsGroupFlag) != 0;
  record.track = load<std::uint16_t>(bytes, 14);
  std::copy_n(bytes.begin() + 16, 16, record.meeting.value.bytes.begin());
  record.seq = load<std::uint64_t>(bytes, 32);
  record.position = load<std::int64_t>(bytes, 40);
  record.payload.assign(payload.begin(), payload.end());
  return true;
}

/// What a sealed payload is bound to: it cannot pass for another record's.
std::vector<std::uint8_t> identity_of(const Record& record) {
  std::vector<std::uint8_t> identity;
  ByteWriter writer(identity);
  writer.number(static_cast<std::uint8_t>(record.type));
  writer.number(record.track);
  writer.bytes(record.meeting.value.bytes);
  writer.number(record.seq);
  writer.number(record.position);
  return identity;
}

/// Where the next byte that is not zero stands, aligned down; the size when all are zero.
std::size_t skip_zeros(std::span<const std::uint8_t> bytes, std::size_t from) noexcept {
  const auto found = std::find_if(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                                  bytes.end(),
                                  [](std::uint8_t byte) { return byte != 0; });
  if (found == bytes.end()) return bytes.size();
  return static_cast<std::size_t>(found - bytes.begin()) / kAlignment * kAlignment;
}

std::size_t size_without_zeros(std::span<const std::uint8_t> bytes) noexcept {
  const auto last =
      std::find_if(bytes.rbegin(), bytes.rend(), [](std::uint8_t byte) { return byte != 0; });
  return static_cast<std::size_t>(bytes.rend() - last);
}

}  // namespace

std::uint32_t SegmentHeader::seed() const noexcept {
  std::array<std::uint8_t, 24> identity{};
  std::copy(epoch.bytes.begin(), epoch.bytes.end(), identity.begin());
  store(identity, 16, number);
  return crc32c(identity);
}

std::vector<std::uint8_t> encode_segment_header(const SegmentHeader& header) {
  std::vector<std::uint8_t> out;
  out.reserve(kSegmentHeaderBytes);
  ByteWriter writer(out);
  writer.bytes(kMagic);
  writer.number(kVersion);
  writer.number(std::uint32_t{0});
  writer.bytes(header.epoch.bytes);
  writer.number(header.number);
  writer.number(header.created_us);
  writer.zeros(kHeaderCopyBytes - out.size());
  store(out, kHeaderCrcAt, segment_header_crc(out));
  const std::vector<std::uint8_t> copy = out;
  writer.bytes(copy);
  return out;
}

std::optional<SegmentHeader> decode_segment_header(std::span<const std::uint8_t> bytes) noexcept {
  if (bytes.size() < kSegmentHeaderBytes) return std::nullopt;
  const auto first = decode_header_copy(bytes.first(kHeaderCopyBytes));
  return first ? first : decode_header_copy(bytes.subspan(kHeaderCopyBytes, kHeaderCopyBytes));
}

std::size_t record_bytes(std::size_t payload_bytes) noexcept {
  return (kRecordHeaderBytes + payload_bytes + kAlignment - 1) / kAlignment * kAlignment;
}

void encode_record(const Record& record, std::uint32_t seed, std::vector<std::uint8_t>& out) {
  QYLON_CHECK(record.payload.size() <= kStoredPayloadBytesMax);
  const std::size_t start = out.size();
  ByteWriter writer(out);
  writer.number(std::uint32_t{0});  // The header's checksum, when it is known.
  writer.number(static_cast<std::uint32_t>(record.payload.size()));
  writer.number(crc32c(record.payload, seed));
  writer.number(static_cast<std::uint8_t>(record.type));
  writer.number(static_cast<std::uint8_t>((record.sealed ? kSealedFlag : 0) |
                                          (record.begins_group ? kBeginsGroupFlag : 0)));
  writer.number(record.track);
  writer.bytes(record.meeting.value.bytes);
  writer.number(record.seq);
  writer.number(record.position);
  const auto header = std::span<std::uint8_t>(out).subspan(start);
  store(header, 0, crc32c(header.subspan(4), seed));
  writer.bytes(record.payload);
  writer.zeros(start + record_bytes(record.payload.size()) - out.size());
}

void seal_record(const SealKey& key, Record& record) {
  QYLON_CHECK(!record.sealed);
  key.seal(identity_of(record), record.payload);
  record.sealed = true;
}

bool unseal_record(const SealKey& key, Record& record) {
  QYLON_CHECK(record.sealed);
  record.sealed = false;
  return key.open(identity_of(record), record.payload);
}

ScanReport scan_records(std::span<const std::uint8_t> bytes,
                        std::size_t from,
                        std::uint32_t seed,
                        const OnScanned& on_record) {
  ScanReport report;
  Record record;
  std::size_t at = from;
  report.end = at;
  while (at < bytes.size()) {
    if (!decode_record(bytes.subspan(at), seed, record)) {
      at = skip_zeros(bytes, std::min(at + kAlignment, bytes.size()));
      continue;
    }
    if (at != report.end) ++report.corrupt_ranges;
    ++report.records;
    const std::size_t begin = at;
    at = std::min(at + record_bytes(record.payload.size()), bytes.size());
    report.end = at;
    on_record(record, begin);
  }
  report.bytes_cut = size_without_zeros(bytes.subspan(report.end));
  return report;
}

ScanReport scan_segment(std::span<const std::uint8_t> segment,
                        const std::function<void(const Record&)>& on_record) {
  const auto header = decode_segment_header(segment);
  if (!header) return {};
  return scan_records(segment,
                      kSegmentHeaderBytes,
                      header->seed(),
                      [&on_record](const Record& record, std::size_t) { on_record(record); });
}

}  // namespace qylon::storage

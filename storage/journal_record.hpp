#pragma once
/// The journal's byte format: pure functions, no I/O.
///
/// A segment is a header of kSegmentHeaderBytes, then records, each 8-byte aligned, then zeros (it
/// is preallocated). All integers are little-endian.
///
///   segment: magic "QYLONJRN" | version u32 | crc u32 of the header with this field zero |
///            epoch 16 | number u64 | created_us i64 | 16 reserved zeros; all of it twice, because
///            without the seed that it gives no record can be read
///   record : header crc u32 (of the 44 bytes after it) | payload bytes u32 | payload crc u32 |
///            type u8 | flags u8 (bit 0: payload sealed, bit 1: first of its group) | track u16 |
///            meeting 16 | seq u64 | position i64 | payload | pad
///
/// Both record checksums start from a seed that the segment's header gives, so that neither a
/// record of an older segment nor bytes that a client sends as payload can pass for a record.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/ids.hpp"
#include "core/seal.hpp"

namespace qylon::storage {

inline constexpr std::size_t kSegmentHeaderBytes = 128;
inline constexpr std::size_t kRecordHeaderBytes = 48;
inline constexpr std::size_t kRecordPayloadBytesMax = 256 * 1024;
/// A payload that is sealed is longer.
inline constexpr std::size_t kStoredPayloadBytesMax =
    kRecordPayloadBytesMax + SealKey::kOverheadBytes;

enum class RecordType : std::uint8_t { kAudio = 1, kCaption = 2, kMeetingEnded = 3 };

struct Record {
  RecordType type = RecordType::kAudio;
  MeetingId meeting;
  TrackId track = 0;
  std::uint64_t seq = 0;              ///< Audio: frame number. Caption: offset.
  std::int64_t position = 0;          ///< Audio: capture_us. Caption: start_ms.
  std::vector<std::uint8_t> payload;  ///< audio_record.hpp, caption_record.hpp.
  bool sealed = false;                ///< The payload is ciphertext.
  bool begins_group = false;          ///< Everything before it in the segment was synced first.
};

struct SegmentHeader {
  Uuid epoch;  ///< Random per opened journal.
  std::uint64_t number = 0;
  std::int64_t created_us = 0;  ///< Wall clock.

  /// Start value of this segment's record checksums.
  std::uint32_t seed() const noexcept;
};

/// Exactly kSegmentHeaderBytes.
std::vector<std::uint8_t> encode_segment_header(const SegmentHeader& header);
/// Nothing when magic, version or checksum are wrong in both copies, or bytes are missing.
std::optional<SegmentHeader> decode_segment_header(std::span<const std::uint8_t> bytes) noexcept;

/// Bytes that encode_record appends for a payload of this size.
std::size_t record_bytes(std::size_t payload_bytes) noexcept;
/// REQUIRES: payload <= kStoredPayloadBytesMax.
void encode_record(const Record& record, std::uint32_t seed, std::vector<std::uint8_t>& out);

/// Replaces the payload by its sealed form, bound to what the header says: type, track, meeting,
/// seq and position. REQUIRES: not sealed.
void seal_record(const SealKey& key, Record& record);
/// The inverse. False: another key, or not what was sealed. REQUIRES: sealed.
[[nodiscard]] bool unseal_record(const SealKey& key, Record& record);

struct ScanReport {
  std::size_t records = 0;
  std::size_t end = 0;             ///< Just after the last valid record, from the segment's start.
  std::size_t corrupt_ranges = 0;  ///< Stretches between valid records that were stepped over.
  std::size_t bytes_cut = 0;       ///< Not zero and not valid after `end`: a torn write.
};

/// Gets every valid record, which it may move from, and where it begins.
using OnScanned = std::function<void(Record& record, std::size_t at)>;
/// Hands every valid record of `bytes` from `from` on to `on_record`, in order. Steps over damage
/// in the middle to the next record that proves itself, so one flipped bit costs one record; what
/// is invalid at the end is the torn tail. REQUIRES: from <= size; a record begins there, aligned.
/// Cost: one pass over the bytes, plus 44 bytes of checksum per 8 bytes of damage.
ScanReport scan_records(std::span<const std::uint8_t> bytes,
                        std::size_t from,
                        std::uint32_t seed,
                        const OnScanned& on_record);
/// As above over a whole segment; nothing when its header is not readable.
ScanReport scan_segment(std::span<const std::uint8_t> segment,
                        const std::function<void(const Record&)>& on_record);

}  // namespace qylon::storage

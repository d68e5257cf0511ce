#include "storage/journal_record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::storage {
namespace {

constexpr std::size_t kSegmentBytes = 4096;

SegmentHeader header(std::uint64_t number = 1) {
  SegmentHeader result;
  result.epoch.bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  result.number = number;
  result.created_us = 1'700'000'000'000'000;
  return result;
}

Record audio(std::uint64_t seq, std::size_t payload_bytes) {
  Record record;
  record.meeting.value.bytes.fill(0xAB);
  record.track = 3;
  record.seq = seq;
  record.position = static_cast<std::int64_t>(seq) * 20'000;
  record.payload.assign(payload_bytes, static_cast<std::uint8_t>(seq + 1));
  return record;
}

/// A preallocated segment with records of these payload sizes, numbered from 0.
std::vector<std::uint8_t> segment(const std::vector<std::size_t>& payloads) {
  auto bytes = encode_segment_header(header());
  for (std::size_t i = 0; i < payloads.size(); ++i)
    encode_record(audio(i, payloads[i]), header().seed(), bytes);
  bytes.resize(kSegmentBytes, 0);
  return bytes;
}

struct Scanned {
  std::vector<std::uint64_t> seqs;
  ScanReport report;
};
Scanned scan(std::span<const std::uint8_t> bytes) {
  Scanned result;
  result.report =
      scan_segment(bytes, [&result](const Record& record) { result.seqs.push_back(record.seq); });
  return result;
}

using Seqs = std::vector<std::uint64_t>;

TEST(SegmentHeader, RoundTrips) {
  const auto bytes = encode_segment_header(header(42));
  ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
  const auto decoded = decode_segment_header(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->epoch, header().epoch);
  EXPECT_EQ(decoded->number, 42U);
  EXPECT_EQ(decoded->created_us, header().created_us);
}

TEST(SegmentHeader, SurvivesAnyOneByteFlippedBecauseItIsThereTwice) {
  const auto good = encode_segment_header(header());
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] ^= 0x20;
    const auto decoded = decode_segment_header(bad);
    ASSERT_TRUE(decoded) << at;
    EXPECT_EQ(decoded->seed(), header().seed()) << at;
  }
}

TEST(SegmentHeader, IsRefusedWhenBothCopiesAreDamaged) {
  const auto good = encode_segment_header(header());
  const std::size_t half = good.size() / 2;
  for (std::size_t at = 0; at < half; ++at) {
    auto bad = good;
    bad[at] ^= 0x20;
    bad[half + at] ^= 0x20;
    EXPECT_FALSE(decode_segment_header(bad)) << at;
  }
}

TEST(Journal, RecordsRoundTripWithEveryField) {
  Record record = audio(7, 5);
  record.type = RecordType::kCaption;
  record.position = -1;
  auto bytes = encode_segment_header(header());
  encode_record(record, header().seed(), bytes);
  EXPECT_EQ(bytes.size(), kSegmentHeaderBytes + record_bytes(5));
  std::size_t count = 0;
  scan_segment(bytes, [&](const Record& read) {
    ++count;
    EXPECT_EQ(read.type, RecordType::kCaption);
    EXPECT_EQ(read.meeting, record.meeting);
    EXPECT_EQ(read.track, 3);
    EXPECT_EQ(read.seq, 7U);
    EXPECT_EQ(read.position, -1);
    EXPECT_EQ(read.payload, record.payload);
  });
  EXPECT_EQ(count, 1U);
}

TEST(Journal, RecordSizesAreMultiplesOfEight) {
  EXPECT_EQ(record_bytes(0), 48U);
  EXPECT_EQ(record_bytes(1), 56U);
  EXPECT_EQ(record_bytes(8), 56U);
  EXPECT_EQ(record_bytes(9), 64U);
}

TEST(JournalScan, EndsCleanlyAtThePreallocatedZeros) {
  const auto scanned = scan(segment({10, 0, 33}));
  EXPECT_EQ(scanned.seqs, (Seqs{0, 1, 2}));
  EXPECT_EQ(scanned.report.corrupt_ranges, 0U);
  EXPECT_EQ(scanned.report.bytes_cut, 0U);
  EXPECT_EQ(scanned.report.end,
            kSegmentHeaderBytes + record_bytes(10) + record_bytes(0) + record_bytes(33));
}

TEST(JournalScan, KeepsEveryWholeRecordWhereverTheFileIsCut) {
  const auto whole = segment({10, 20, 30});
  const std::size_t first = kSegmentHeaderBytes + record_bytes(10);
  const std::size_t second = first + record_bytes(20);
  // The last bytes of a record are padding: its payload ends before.
  const std::size_t second_needs = first + kRecordHeaderBytes + 20;
  const std::size_t third_needs = second + kRecordHeaderBytes + 30;
  for (std::size_t size = first; size <= third_needs; ++size) {
    const auto scanned = scan(std::span(whole).first(size));
    const std::size_t expected = 1U + (size >= second_needs) + (size >= third_needs);
    EXPECT_EQ(scanned.seqs.size(), expected) << size;
    EXPECT_EQ(scanned.report.corrupt_ranges, 0U) << size;
  }
}

TEST(JournalScan, LosesOnlyTheRecordWhoseByteIsFlipped) {
  const auto whole = segment({10, 20, 30});
  const std::size_t second = kSegmentHeaderBytes + record_bytes(10);
  const std::size_t third = second + record_bytes(20);
  for (std::size_t at = second; at < third + kRecordHeaderBytes + 30; ++at) {
    const bool is_padding = at >= second + kRecordHeaderBytes + 20 && at < third;
    if (is_padding) continue;
    for (const std::uint8_t mask : {std::uint8_t{0x01}, std::uint8_t{0x80}, std::uint8_t{0xFF}}) {
      auto bad = whole;
      bad[at] ^= mask;
      const auto scanned = scan(bad);
      EXPECT_EQ(scanned.seqs, at < third ? (Seqs{0, 2}) : (Seqs{0, 1})) << at;
      EXPECT_EQ(scanned.report.corrupt_ranges, at < third ? 1U : 0U) << at;
    }
  }
}

TEST(JournalScan, CountsTheTornTail) {
  auto bytes = segment({10, 20});
  const std::size_t second = kSegmentHeaderBytes + record_bytes(10);
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(second) + 50, bytes.end(), std::uint8_t{0});
  const auto scanned = scan(bytes);
  EXPECT_EQ(scanned.seqs, (Seqs{0}));
  EXPECT_EQ(scanned.report.end, second);
  EXPECT_EQ(scanned.report.bytes_cut, 50U);
}

TEST(JournalScan, ARecordOfAnotherSegmentIsNotTaken) {
  auto bytes = encode_segment_header(header(2));
  encode_record(audio(0, 10), header(1).seed(), bytes);
  EXPECT_TRUE(scan(bytes).seqs.empty());
}

TEST(JournalScan, ARecordSmuggledInsideADamagedPayloadIsNotTaken) {
  // What a client could know: the format, but not the segment's seed.
  std::vector<std::uint8_t> forged;
  encode_record(audio(99, 8), 0, forged);
  Record carrier = audio(0, 0);
  carrier.payload = forged;
  auto bytes = encode_segment_header(header());
  encode_record(carrier, header().seed(), bytes);
  bytes[kSegmentHeaderBytes] ^= 1;  // Damage the carrier, so that the scan looks inside it.
  EXPECT_TRUE(scan(bytes).seqs.empty());
}

TEST(JournalScan, AForeignFileHoldsNothing) {
  EXPECT_TRUE(scan(std::vector<std::uint8_t>(500, 0x51)).seqs.empty());
  EXPECT_TRUE(scan({}).seqs.empty());
}

}  // namespace
}  // namespace qylon::storage

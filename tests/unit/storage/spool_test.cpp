#include "storage/spool.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/log.hpp"
#include "storage/spool_writer.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/sim_disk.hpp"

namespace qylon::storage {
namespace {

using Seqs = std::vector<std::uint64_t>;
using Fault = test::SimDiskState::Fault;

const MeetingId kAnn = MeetingId::random();
const MeetingId kBob = MeetingId::random();

std::vector<std::uint8_t> payload_of(std::uint64_t seq) {
  // Every 40th is large, so that segments follow one another.
  return std::vector<std::uint8_t>(seq % 40 == 0 ? 180'000 : 20 + seq % 50,
                                   static_cast<std::uint8_t>(seq * 37 + 1));
}

/// A spool on a simulated disk, one record a group.
class SpoolTest : public testing::Test {
 protected:
  SpoolTest() {
    options_.segment_bytes = 1 << 20;
    options_.retry_interval_ms = 10;
  }
  void open() {
    writer_.reset();
    spool_.reset();
    spool_.emplace(
        options_, std::make_unique<test::SimDisk>(disk_), keys_, log_, counters_, clock_);
    const Status opened = spool_->open();
    ASSERT_TRUE(opened) << opened.error().message;
    writer_.emplace(*spool_, 64U << 20, log_, counters_, clock_);
  }
  void append(std::uint64_t seq, RecordType type = RecordType::kAudio, MeetingId meeting = kAnn) {
    Record record;
    record.type = type;
    record.meeting = meeting;
    record.seq = seq;
    record.payload = payload_of(seq);
    std::vector<SpoolItem> group;
    group.push_back({std::move(record), [this, seq](bool durable) {
                       if (durable) acknowledged_.push_back(seq);
                     }});
    writer_->write(group);
    clock_.advance_ms(5);
  }
  Seqs read(MeetingId meeting = kAnn) const {
    Seqs seqs;
    spool_->read_audio(meeting, [&](const Record& record) {
      EXPECT_EQ(record.payload, payload_of(record.seq));
      seqs.push_back(record.seq);
      return true;
    });
    return seqs;
  }
  Seqs captions(MeetingId meeting, std::uint64_t after) const {
    Seqs seqs;
    spool_->read_captions(meeting, after, [&](const Record& record) {
      seqs.push_back(record.seq);
      return true;
    });
    return seqs;
  }

  test::FakeClock clock_;
  Log log_{clock_, LogLevel::kError, -1};
  Counters counters_;
  test::SimDiskState disk_;
  MeetingKeys* keys_ = nullptr;
  Spool::Options options_;
  std::optional<Spool> spool_;
  std::optional<SpoolWriter> writer_;
  Seqs acknowledged_;
};

TEST_F(SpoolTest, AMeetingIsReadWithoutTheOthers) {
  open();
  for (std::uint64_t seq = 1; seq <= 60; ++seq)
    append(seq, RecordType::kAudio, seq % 2 == 0 ? kAnn : kBob);
  const auto check = [this] {
    const Seqs ann = read(kAnn);
    ASSERT_EQ(ann.size(), 30U);
    EXPECT_EQ(ann.front(), 2U);
    EXPECT_EQ(ann.back(), 60U);
    EXPECT_TRUE(read(MeetingId::random()).empty());
  };
  check();
  open();
  check();
}

TEST_F(SpoolTest, CaptionsAreReadFromAnOffsetOn) {
  open();
  for (std::uint64_t offset = 1; offset <= 45; ++offset)
    append(offset, RecordType::kCaption);
  EXPECT_EQ(captions(kAnn, 42), (Seqs{43, 44, 45}));
  EXPECT_EQ(spool_->last_caption(kAnn), 45U);
  EXPECT_EQ(spool_->last_caption(kBob), 0U);
  open();
  EXPECT_EQ(captions(kAnn, 42), (Seqs{43, 44, 45}));
}

TEST_F(SpoolTest, OnlyUnsettledCaptionsAreReadAgain) {
  open();
  append(1, RecordType::kCaption, kAnn);
  append(2, RecordType::kCaption, kAnn);
  append(1, RecordType::kCaption, kBob);
  spool_->settle(kAnn, 1);
  spool_->settle(kBob, 1);
  Seqs seqs;
  spool_->read_unsettled([&](const Record& record) {
    seqs.push_back(record.seq);
    return true;
  });
  EXPECT_EQ(seqs, (Seqs{2}));
}

TEST_F(SpoolTest, ReadingEndsWhenTheReaderHasEnough) {
  open();
  for (std::uint64_t offset = 1; offset <= 10; ++offset)
    append(offset, RecordType::kCaption);
  int read = 0;
  spool_->read_captions(kAnn, 0, [&read](const Record&) { return ++read < 3; });
  EXPECT_EQ(read, 3);
}

/// One fault of each kind, and a long one, at each of the first 500 calls of the disk: nothing is
/// acknowledged that a power failure loses, a file is never used after an error (SimDisk aborts),
/// and when the disk works again everything is on it, without help and in order.
TEST_F(SpoolTest, NoFaultOfTheDiskMakesAFalsePromise) {
  struct Shape {
    Fault fault;
    std::uint64_t calls;
  };
  for (const Shape shape : {Shape{Fault::kError, 1},
                            Shape{Fault::kShort, 1},
                            Shape{Fault::kDone, 1},
                            Shape{Fault::kError, 40}}) {
    for (std::uint64_t at = 1; at <= 500; ++at) {
      test::SimDiskState fresh;
      std::swap(disk_, fresh);
      acknowledged_.clear();
      disk_.plan = [shape, at](std::uint64_t call) {
        return call >= at && call < at + shape.calls ? shape.fault : Fault::kNone;
      };
      open();
      for (std::uint64_t seq = 1; disk_.calls() < at + 10; ++seq)
        append(seq);
      for (int i = 0; i < 500 && !writer_->writable(); ++i) {
        clock_.advance_ms(options_.retry_interval_ms);
        std::vector<SpoolItem> nothing;
        writer_->write(nothing);
      }
      ASSERT_TRUE(writer_->writable()) << "call " << at;
      ASSERT_TRUE(std::is_sorted(acknowledged_.begin(), acknowledged_.end())) << "call " << at;
      disk_.plan = nullptr;
      test::Random random(at);
      disk_.crash(random);
      open();
      Seqs found = read();
      found.erase(std::unique(found.begin(), found.end()), found.end());
      for (const std::uint64_t seq : acknowledged_)
        ASSERT_TRUE(std::find(found.begin(), found.end(), seq) != found.end())
            << seq << " was acknowledged and is lost; fault at call " << at;
    }
  }
}

TEST_F(SpoolTest, WhatAKilledProcessDidNotSyncIsSyncedBeforeItIsReadAgain) {
  open();
  append(1);
  const std::uint64_t sync = disk_.calls() + 2;
  disk_.plan = [sync](std::uint64_t call) { return call >= sync ? Fault::kKilled : Fault::kNone; };
  append(2);
  disk_.plan = nullptr;
  disk_.kill();
  open();
  const Seqs found = read();
  EXPECT_EQ(found, (Seqs{1, 2}));
  test::Random random(1);
  disk_.crash(random);
  open();
  EXPECT_EQ(read(), found);
}

/// The same when that sync fails, which the kernel forgets: trying again would find nothing to do.
TEST_F(SpoolTest, WhatCannotBeSyncedIsCopiedBeforeAnythingElseIsDurable) {
  open();
  append(1);
  const std::uint64_t sync = disk_.calls() + 2;
  disk_.plan = [sync](std::uint64_t call) { return call >= sync ? Fault::kKilled : Fault::kNone; };
  append(2);
  disk_.kill();
  disk_.plan = [](std::uint64_t) { return Fault::kError; };
  open();
  EXPECT_EQ(read(), (Seqs{1, 2}));
  append(3);
  EXPECT_EQ(acknowledged_, (Seqs{1}));
  disk_.plan = nullptr;
  clock_.advance_ms(options_.retry_interval_ms);
  append(4);
  EXPECT_EQ(acknowledged_, (Seqs{1, 3, 4}));
  test::Random random(1);
  disk_.crash(random);
  open();
  EXPECT_EQ(read(), (Seqs{1, 2, 3, 4}));
}

/// The last two of three records damaged at every byte: the first is always there, what is read is
/// always what was written, and the spool opens.
TEST_F(SpoolTest, ADamagedTailCostsTheTailAlone) {
  open();
  for (std::uint64_t seq = 1; seq <= 3; ++seq)
    append(seq);
  test::Random random(1);
  disk_.crash(random);
  const auto whole = disk_.durable().at(1);
  const std::size_t second = kSegmentHeaderBytes + record_bytes(payload_of(1).size());
  const std::size_t second_end = second + kRecordHeaderBytes + payload_of(2).size();
  const std::size_t third_end =
      second + record_bytes(payload_of(2).size()) + kRecordHeaderBytes + payload_of(3).size();
  for (std::size_t at = second; at < whole.size(); ++at) {
    disk_.durable() = {{1, whole}};
    disk_.durable()[1].resize(at);
    open();
    // Of the padding behind a payload nothing depends on.
    const Seqs expected = at < second_end ? Seqs{1} : at < third_end ? Seqs{1, 2} : Seqs{1, 2, 3};
    EXPECT_EQ(read(), expected) << "cut at " << at;
    for (int bit = 0; bit < 8; ++bit) {
      disk_.durable() = {{1, whole}};
      disk_.durable()[1][at] ^= static_cast<std::uint8_t>(1U << bit);
      open();
      const Seqs found = read();
      ASSERT_GE(found.size(), 2U) << "bit " << bit << " of " << at;
      EXPECT_EQ(found.front(), 1U);
    }
  }
}

TEST_F(SpoolTest, FlippedBitsCostOnlyTheRecordsTheyAreIn) {
  open();
  for (std::uint64_t seq = 1; seq < 20; ++seq)
    append(seq);
  test::Random random(1);
  disk_.crash(random);
  const auto whole = disk_.durable().at(1);
  for (std::uint64_t copy = 0; copy < 1000; ++copy) {
    test::Random flipping(copy);
    auto damaged = whole;
    const std::size_t flips = 1 + flipping.below(4);
    for (std::size_t flip = 0; flip < flips; ++flip) {
      // One copy of the segment's header survives; losing both is another test's matter.
      const std::size_t at =
          kSegmentHeaderBytes / 2 + flipping.below(whole.size() - kSegmentHeaderBytes / 2);
      damaged[at] ^= static_cast<std::uint8_t>(1U << flipping.below(8));
    }
    disk_.durable() = {{1, damaged}};
    open();
    EXPECT_GE(read().size() + flips, 19U) << "copy " << copy;
  }
}

}  // namespace
}  // namespace qylon::storage

#include "storage/journal.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/log.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_disk.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::storage {
namespace {

using Seqs = std::vector<std::uint64_t>;
constexpr std::size_t kSegment = 1 << 20;

/// A journal on a disk in memory, with a language of its own.
class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    options_.sync_interval_ms = 0;
    options_.spool.segment_bytes = kSegment;
    options_.spool.bytes_max = 4 * kSegment;
    options_.spool.free_bytes_min = 0;
    options_.spool.retry_interval_ms = 10;
  }

  void open() {
    journal_.reset();
    auto opened =
        Journal::open(options_, std::make_unique<test::MemoryDisk>(disk_), log_, counters_, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    journal_ = std::move(*opened);
  }
  Record record(std::uint64_t seq, RecordType type, std::size_t payload_bytes) const {
    Record result;
    result.type = type;
    result.meeting = meeting_;
    result.seq = seq;
    result.payload.assign(payload_bytes, static_cast<std::uint8_t>(seq));
    return result;
  }
  /// Appends and waits for the first answer.
  bool append(std::uint64_t seq, RecordType type = RecordType::kAudio, std::size_t bytes = 100) {
    auto promise = std::make_shared<std::promise<bool>>();
    auto future = promise->get_future();
    EXPECT_TRUE(journal_->append(record(seq, type, bytes),
                                 [promise, answered = false](bool durable) mutable {
                                   if (!std::exchange(answered, true)) promise->set_value(durable);
                                 }));
    return future.get();
  }
  /// Fills one segment to its last byte.
  void fill_segment(std::uint64_t seq, RecordType type) {
    constexpr std::size_t kQuarter = (kSegment - kSegmentHeaderBytes) / 4 - kRecordHeaderBytes;
    for (int i = 0; i < 4; ++i)
      EXPECT_TRUE(append(seq, type, kQuarter));
  }
  Seqs synced_seqs() const {
    Seqs seqs;
    for (const std::uint64_t number : disk_.numbers())
      scan_segment(disk_.synced(number),
                   [&seqs](const Record& found) { seqs.push_back(found.seq); });
    return seqs;
  }
  std::uint64_t count(const char* name) { return counters_.counter(name, "").value(); }

  const MeetingId meeting_ = MeetingId::random();
  test::FakeClock clock_;
  Log log_{clock_, LogLevel::kError, -1};
  Counters counters_;
  test::MemoryDiskState disk_;
  Journal::Options options_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(JournalTest, WhatIsCalledDurableIsOnTheDisk) {
  open();
  ASSERT_TRUE(append(1));
  EXPECT_EQ(synced_seqs(), (Seqs{1}));
  ASSERT_TRUE(append(2));
  EXPECT_EQ(synced_seqs(), (Seqs{1, 2}));
}

TEST_F(JournalTest, CallbacksComeInTheOrderOfAppending) {
  open();
  std::vector<int> order;
  std::promise<void> done;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(journal_->append(record(1, RecordType::kAudio, 10), [&, i](bool) {
      order.push_back(i);
      if (i == 99) done.set_value();
    }));
  }
  done.get_future().wait();
  ASSERT_EQ(order.size(), 100U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(JournalTest, RecordsThatArriveTogetherShareASync) {
  options_.sync_interval_ms = 1000;
  open();
  ASSERT_TRUE(append(1));  // After a pause: at once.
  const int before = disk_.syncs();
  for (std::uint64_t seq = 2; seq < 100; ++seq)
    ASSERT_TRUE(journal_->append(record(seq, RecordType::kAudio, 10), nullptr));
  journal_.reset();
  EXPECT_EQ(disk_.syncs(), before + 1);
  EXPECT_EQ(synced_seqs().size(), 99U);
}

TEST_F(JournalTest, TheDestructorSyncsWhatWasAccepted) {
  open();
  bool durable = false;
  ASSERT_TRUE(journal_->append(record(5, RecordType::kAudio, 10),
                               [&durable](bool result) { durable = result; }));
  journal_.reset();
  EXPECT_TRUE(durable);
  EXPECT_EQ(synced_seqs(), (Seqs{5}));
}

TEST_F(JournalTest, AFullQueueRefuses) {
  options_.queue_records_max = 1;
  open();
  std::promise<void> entered;
  std::promise<void> release;
  const auto released = release.get_future().share();
  ASSERT_TRUE(journal_->append(record(1, RecordType::kAudio, 10), [&entered, released](bool) {
    entered.set_value();
    released.wait();
  }));
  entered.get_future().wait();
  EXPECT_TRUE(journal_->append(record(2, RecordType::kAudio, 10), nullptr));
  EXPECT_FALSE(journal_->append(record(3, RecordType::kAudio, 10), nullptr));
  EXPECT_EQ(count("qylon_journal_refused_total"), 1U);
  release.set_value();
}

TEST_F(JournalTest, APayloadThatIsTooLargeIsRefused) {
  open();
  EXPECT_FALSE(
      journal_->append(record(1, RecordType::kAudio, kRecordPayloadBytesMax + 1), nullptr));
}

TEST_F(JournalTest, AFailedSyncMovesTheGroupToANewSegment) {
  open();
  ASSERT_TRUE(append(1));
  disk_.fail_syncs(1);
  EXPECT_TRUE(append(2));
  EXPECT_EQ(disk_.numbers(), (Seqs{1, 2}));
  EXPECT_EQ(synced_seqs(), (Seqs{1, 2}));
  EXPECT_EQ(count("qylon_journal_segments_abandoned_total"), 1U);
  EXPECT_TRUE(append(3));
  EXPECT_EQ(disk_.numbers(), (Seqs{1, 2}));
}

TEST_F(JournalTest, ADiskThatStaysBrokenMakesNoPromises) {
  open();
  ASSERT_TRUE(append(1));
  disk_.fail_syncs(1);
  disk_.fail_creates(1);
  EXPECT_FALSE(append(2));
  EXPECT_EQ(synced_seqs(), (Seqs{1}));
  EXPECT_EQ(count("qylon_journal_failed_total"), 1U);
}

TEST_F(JournalTest, ADiskThatCannotSyncIsNotFilledWithSegments) {
  open();
  ASSERT_TRUE(append(1));
  disk_.fail_syncs(1'000);
  for (std::uint64_t seq = 2; seq < 100; ++seq) {
    EXPECT_FALSE(append(seq));
    clock_.advance_ms(options_.spool.retry_interval_ms);
  }
  EXPECT_LE(disk_.numbers().size(), 2U) << "one that is good, and the one being tried";
  EXPECT_EQ(disk_.numbers().front(), 1U);
  disk_.fail_syncs(0);
  clock_.advance_ms(options_.spool.retry_interval_ms);
  EXPECT_TRUE(append(100));
  EXPECT_EQ(synced_seqs().size(), 100U);
}

TEST_F(JournalTest, WorksAgainOnceTheDiskDoes) {
  open();
  disk_.fail_creates(1);
  EXPECT_FALSE(append(1));
  EXPECT_FALSE(append(2));  // Not asked again before the retry interval is over.
  clock_.advance_ms(options_.spool.retry_interval_ms);
  EXPECT_TRUE(append(3));
  EXPECT_EQ(synced_seqs(), (Seqs{1, 2, 3}));
}

TEST_F(JournalTest, FindsOutByItselfThatTheDiskIsBack) {
  open();
  disk_.fail_writes(2);  // Each group has a second try.
  EXPECT_FALSE(append(1));
  EXPECT_FALSE(journal_->writable());
  clock_.advance_ms(options_.spool.retry_interval_ms);
  while (!journal_->writable())
    std::this_thread::yield();
  EXPECT_TRUE(append(2));
}

TEST_F(JournalTest, ANearlyFullDiskStopsItBeforeTheLastByte) {
  options_.spool.free_bytes_min = 10 * kSegment;
  open();
  disk_.set_free_bytes(10 * kSegment);
  EXPECT_FALSE(append(1));
  disk_.set_free_bytes(12 * kSegment);
  clock_.advance_ms(options_.spool.retry_interval_ms);
  EXPECT_TRUE(append(2));
}

TEST_F(JournalTest, AFullSegmentIsFollowedByAnother) {
  open();
  fill_segment(1, RecordType::kAudio);
  fill_segment(2, RecordType::kAudio);
  EXPECT_EQ(disk_.numbers().size(), 2U);
  EXPECT_EQ(synced_seqs(), (Seqs{1, 1, 1, 1, 2, 2, 2, 2}));
}

TEST_F(JournalTest, AudioThatMayHaveNoFinalYetDoesNotGiveWay) {
  open();
  for (std::uint64_t seq = 1; seq <= 4; ++seq)
    fill_segment(seq, RecordType::kAudio);
  EXPECT_FALSE(append(5, RecordType::kAudio, 200'000));
  EXPECT_EQ(synced_seqs().front(), 1U);
  clock_.advance_ms(121'000);
  EXPECT_TRUE(append(6, RecordType::kAudio));
}

TEST_F(JournalTest, TheOldestAudioGivesWayAtTheSizeLimit) {
  open();
  for (std::uint64_t seq = 1; seq <= 6; ++seq) {
    fill_segment(seq, RecordType::kAudio);
    clock_.advance_ms(45'000);
  }
  EXPECT_EQ(disk_.numbers(), (Seqs{3, 4, 5, 6}));
}

TEST_F(JournalTest, CaptionsThatPostgreSqlLacksAreNeverDeletedForRoom) {
  open();
  for (std::uint64_t seq = 1; seq <= 4; ++seq)
    fill_segment(seq, RecordType::kCaption);
  EXPECT_FALSE(append(5));
  EXPECT_EQ(disk_.numbers(), (Seqs{1, 2, 3, 4}));
  journal_->settle(meeting_, 1);
  clock_.advance_ms(121'000);
  EXPECT_TRUE(append(6));
  EXPECT_EQ(disk_.numbers(), (Seqs{2, 3, 4, 5}));
}

TEST_F(JournalTest, SettledSegmentsGoOnceTheirAudioIsOld) {
  open();
  fill_segment(1, RecordType::kCaption);
  fill_segment(2, RecordType::kAudio);
  journal_->settle(meeting_, 1);
  clock_.advance_ms(options_.spool.audio_keep_ms + 1000);
  EXPECT_TRUE(append(3));
  // The group's callback comes before the clearing; the next one's after it.
  EXPECT_TRUE(append(4));
  EXPECT_EQ(disk_.numbers(), (Seqs{2, 3}));
}

TEST_F(JournalTest, CaptionsOfAnEarlierRunWaitToBeSettledToo) {
  open();
  fill_segment(1, RecordType::kCaption);
  open();
  clock_.advance_ms(options_.spool.audio_keep_ms + 1000);
  EXPECT_TRUE(append(2));
  EXPECT_TRUE(append(3));
  EXPECT_EQ(disk_.numbers(), (Seqs{1, 2}));
  journal_->settle(meeting_, 1);
  clock_.advance_ms(2000);
  EXPECT_TRUE(append(4));
  EXPECT_TRUE(append(5));
  EXPECT_EQ(disk_.numbers(), (Seqs{2}));
}

TEST_F(JournalTest, OptionsOutOfRangeAreRefused) {
  options_.spool.segment_bytes = 1;
  const auto opened =
      Journal::open(options_, std::make_unique<test::MemoryDisk>(disk_), log_, counters_, clock_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(JournalTest, WithoutRoomOnTheDiskNewStreamsAreNotTaken) {
  disk_.set_free_bytes(std::int64_t{1} << 40);
  options_.spool.stream_free_percent_min = 50;
  open();
  EXPECT_TRUE(journal_->takes_new_streams());
  disk_.set_free_bytes(std::int64_t{1} << 38);
  clock_.advance_ms(1001);
  EXPECT_TRUE(append(1));
  EXPECT_TRUE(append(2));  // The room is measured after the first group.
  EXPECT_FALSE(journal_->takes_new_streams());
  EXPECT_TRUE(journal_->writable());
}

TEST_F(JournalTest, ABrokenDiskIsWaitedForUpToTheBacklog) {
  options_.backlog_bytes_max = 2 * record_bytes(100);
  open();
  disk_.fail_creates(1);
  EXPECT_FALSE(append(1));
  EXPECT_FALSE(append(2));
  EXPECT_FALSE(append(3));
  EXPECT_EQ(count("qylon_journal_given_up_total"), 1U);
  clock_.advance_ms(options_.spool.retry_interval_ms);
  while (!journal_->writable())
    std::this_thread::yield();
  EXPECT_EQ(synced_seqs(), (Seqs{1, 2}));
}

class JournalOnDisk : public JournalTest {
 protected:
  void open_directory() {
    journal_.reset();
    options_.dir = directory_.path() + "/journal";
    auto opened = Journal::open(options_, log_, counters_, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    journal_ = std::move(*opened);
  }
  Seqs read() {
    Seqs seqs;
    journal_->spool().read_audio(meeting_, [&seqs](const Record& found) {
      seqs.push_back(found.seq);
      return true;
    });
    return seqs;
  }
  std::string first_segment() const { return options_.dir + "/0000000000000001.journal"; }
  test::TemporaryDirectory directory_;
};

TEST_F(JournalOnDisk, ReadsEveryRunInOrder) {
  open_directory();
  ASSERT_TRUE(append(1));
  open_directory();
  ASSERT_TRUE(append(2));
  EXPECT_EQ(read(), (Seqs{1, 2}));
  EXPECT_EQ(count("qylon_journal_corrupt_total"), 0U);
}

TEST_F(JournalOnDisk, ARunWithoutRecordsLeavesNoSegment) {
  open_directory();
  open_directory();
  EXPECT_TRUE(std::filesystem::is_directory(options_.dir));
  EXPECT_FALSE(std::filesystem::exists(first_segment()));
}

TEST_F(JournalOnDisk, ATornTailIsCutAndCounted) {
  open_directory();
  ASSERT_TRUE(append(1));
  ASSERT_TRUE(append(2));
  journal_.reset();
  std::filesystem::resize_file(first_segment(), kSegmentHeaderBytes + record_bytes(100) + 60);
  open_directory();
  EXPECT_EQ(read(), (Seqs{1}));
  EXPECT_EQ(count("qylon_journal_corrupt_total"), 1U);
}

TEST_F(JournalOnDisk, AForeignFileIsCountedAndLeftAlone) {
  open_directory();
  journal_.reset();
  const std::string foreign = options_.dir + "/00000000000000ff.journal";
  std::ofstream(foreign) << "not ours";
  open_directory();
  EXPECT_TRUE(read().empty());
  EXPECT_EQ(count("qylon_journal_corrupt_total"), 1U);
  EXPECT_TRUE(std::filesystem::exists(foreign));
}

TEST_F(JournalOnDisk, ASegmentOfZerosIsOneThatAKillCutShort) {
  open_directory();
  journal_.reset();
  std::ofstream(first_segment()) << std::string(kSegment, '\0');
  open_directory();
  EXPECT_FALSE(std::filesystem::exists(first_segment()));
  EXPECT_EQ(count("qylon_journal_corrupt_total"), 0U);
}

}  // namespace
}  // namespace qylon::storage

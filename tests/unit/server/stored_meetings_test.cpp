#include "server/stored_meetings.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_disk.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::server {
namespace {

/// A live meeting with a hundred finals in the journal, and no PostgreSQL.
class StoredMeetingsAlone : public testing::Test {
 protected:
  void SetUp() override {
    storage::Database::Options away;
    away.url = "host=/nowhere";
    database_ = *storage::Database::open(away, log_, counters_, clock_);
    journal_ = *storage::Journal::open(
        {}, std::make_unique<test::MemoryDisk>(disk_), log_, counters_, clock_);
    recorder_ = *media::Recorder::create({.directory = directory_.path()}, clock_, counters_, log_);
    writer_ = std::make_unique<storage::CaptionWriter>(storage::CaptionWriter::Options{},
                                                       storage::CaptionWriter::Events{},
                                                       *database_,
                                                       log_,
                                                       counters_,
                                                       clock_);
    publisher_ = std::make_unique<Publisher>(Publisher::Parts{.journal = *journal_,
                                                              .writer = *writer_,
                                                              .database = *database_,
                                                              .recorder = *recorder_,
                                                              .log = log_,
                                                              .counters = counters_,
                                                              .voice_model = {}});
    meeting_.id = MeetingId::random();
    meeting_.epoch = Epoch::random();
    publisher_->on_opened(meeting_);
    for (std::uint64_t offset = 1; offset <= 100; ++offset) {
      auto caption = std::make_shared<Caption>();
      caption->meeting = meeting_.id;
      caption->offset = offset;
      publisher_->on_final(caption);
    }
    publisher_->drain();
  }
  Result<realtime::History::Page> read(std::uint64_t after, std::size_t limit) {
    StoredMeetings meetings(*database_, *journal_, *publisher_);
    std::promise<Result<realtime::History::Page>> page;
    meetings.read(
        meeting_.id, after, limit, [&page](auto answer) { page.set_value(std::move(answer)); });
    return page.get_future().get();
  }

  test::FakeClock clock_;
  Log log_{clock_, LogLevel::kError, -1};
  Counters counters_;
  const test::TemporaryDirectory directory_;
  test::MemoryDiskState disk_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<storage::Journal> journal_;
  std::unique_ptr<media::Recorder> recorder_;
  std::unique_ptr<Publisher> publisher_;
  std::unique_ptr<storage::CaptionWriter> writer_;
  MeetingInfo meeting_;
};

TEST_F(StoredMeetingsAlone, GoOnFromAnyOffsetWithoutAHole) {
  for (std::uint64_t after = 0; after < 100; after += 7) {
    const auto page = read(after, 10);
    ASSERT_TRUE(page) << page.error().message;
    EXPECT_EQ(page->epoch, meeting_.epoch);
    EXPECT_EQ(page->last_offset, 100U);
    std::uint64_t expected = after;
    for (const auto& [offset, text] : page->finals)
      ASSERT_EQ(offset, ++expected);
    EXPECT_EQ(expected, std::min<std::uint64_t>(after + 10, 100));
  }
}

TEST_F(StoredMeetingsAlone, RefuseWhatTheyWouldHaveToLeaveOut) {
  meeting_.id = MeetingId::random();
  const auto page = read(0, 10);
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace qylon::server

#include "server/publisher.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_disk.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::server {
namespace {

TEST(Publisher, DrainedItHasShownEverythingAndNobodyCallsBack) {
  test::FakeClock clock;
  const Log log(clock, LogLevel::kError);
  Counters counters;
  const test::TemporaryDirectory directory;
  storage::Database::Options away;
  away.url = "host=/nowhere";
  auto database = storage::Database::open(away, log, counters, clock);
  ASSERT_TRUE(database);
  test::MemoryDiskState disk;
  // A slow journal: what is handed over is settled half a second later.
  storage::Journal::Options options;
  options.sync_interval_ms = 500;
  auto journal = storage::Journal::open(
      options, std::make_unique<test::MemoryDisk>(disk), log, counters, clock);
  ASSERT_TRUE(journal);
  auto recorder = media::Recorder::create({.directory = directory.path()}, clock, counters, log);
  ASSERT_TRUE(recorder);
  MeetingInfo meeting;
  meeting.id = MeetingId::random();
  meeting.epoch = Epoch::random();
  storage::CaptionWriter writer({}, {}, **database, log, counters, clock);
  auto publisher = std::make_unique<Publisher>(Publisher::Parts{.journal = **journal,
                                                                .writer = writer,
                                                                .database = **database,
                                                                .recorder = **recorder,
                                                                .log = log,
                                                                .counters = counters,
                                                                .voice_model = {}});
  publisher->on_opened(meeting);
  disk.fail_syncs(2);  // The first final is refused, and told again when the disk is back.
  for (std::uint64_t offset = 1; offset <= 100; ++offset) {
    auto caption = std::make_shared<Caption>();
    caption->meeting = meeting.id;
    caption->offset = offset;
    publisher->on_final(caption);
  }
  auto status = std::make_shared<media::MeetingStatus>();
  status->meeting = meeting.id;
  status->state = MeetingState::kEnded;
  publisher->on_status(status);
  publisher->drain();
  EXPECT_NE(publisher->newest_status(meeting.id), nullptr) << "the last step was not shown";
  publisher->on_closed(meeting.id);
  publisher->drain();
  EXPECT_EQ(publisher->epoch(meeting.id), std::nullopt);
  clock.advance_ms(1'000);  // The disk is tried again when the publisher is gone.
}

}  // namespace
}  // namespace qylon::server

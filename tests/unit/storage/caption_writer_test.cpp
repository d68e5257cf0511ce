#include "storage/caption_writer.hpp"

#include <chrono>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/sync.hpp"
#include "tests/support/fake_clock.hpp"

namespace qylon::storage {
namespace {

using Offsets = std::vector<std::uint64_t>;

/// Stands for PostgreSQL: away, refusing, or keeping what it is given.
class FakeStore {
 public:
  Status store(std::span<const CaptionPtr> batch) {
    const MutexLock lock(mutex_);
    ++calls_;
    called_.notify_all();
    if (away_) return Error{ErrorCode::kUnavailable, "away"};
    for (const CaptionPtr& caption : batch) {
      if (refused_ == caption->offset) return Error{ErrorCode::kInvalidArgument, "not UTF-8"};
    }
    for (const CaptionPtr& caption : batch)
      offsets_.push_back(*caption->offset);
    return ok();
  }
  void set_away(bool away) {
    const MutexLock lock(mutex_);
    away_ = away;
  }
  void refuse(std::uint64_t offset) {
    const MutexLock lock(mutex_);
    refused_ = offset;
  }
  void wait_for_calls(int count) {
    const MutexLock lock(mutex_);
    while (calls_ < count)
      called_.wait(mutex_);
  }
  Offsets offsets() const {
    const MutexLock lock(mutex_);
    return offsets_;
  }
  int calls() const {
    const MutexLock lock(mutex_);
    return calls_;
  }

 private:
  mutable Mutex mutex_;
  Condition called_;
  Offsets offsets_;
  std::optional<std::uint64_t> refused_;
  bool away_ = false;
  int calls_ = 0;
};

class CaptionWriterTest : public testing::Test {
 protected:
  CaptionWriterTest() {
    options_.batch_interval_ms = 0;
    options_.retry_interval_ms = 1;
  }

  void start() {
    CaptionWriter::Events events;
    events.on_stored = [this](MeetingId meeting, std::uint64_t offset) {
      const MutexLock lock(mutex_);
      EXPECT_GT(offset, settled_[meeting]);
      settled_[meeting] = offset;
    };
    events.reread = [this](const CaptionWriter::Sink& sink) {
      std::vector<CaptionPtr> copy;
      {
        const MutexLock lock(mutex_);
        copy = journal_;
      }
      for (const CaptionPtr& caption : copy)
        sink(caption);
      return true;
    };
    writer_ = std::make_unique<CaptionWriter>(
        options_,
        events,
        [this](std::span<const CaptionPtr> batch) { return store_.store(batch); },
        log_,
        counters_,
        clock_);
  }
  void add(std::uint64_t offset) {
    auto caption = std::make_shared<Caption>();
    caption->meeting = meeting_;
    caption->offset = offset;
    {
      const MutexLock lock(mutex_);
      journal_.push_back(caption);
    }
    writer_->add(std::move(caption));
  }
  Status flush() {
    auto promise = std::make_shared<std::promise<Status>>();
    auto future = promise->get_future();
    writer_->flush([promise](Status status) { promise->set_value(std::move(status)); });
    return future.get();
  }
  std::uint64_t settled() {
    const MutexLock lock(mutex_);
    return settled_[meeting_];
  }
  std::uint64_t count(const char* name) { return counters_.counter(name, "").value(); }

  const MeetingId meeting_ = MeetingId::random();
  test::FakeClock clock_;
  Log log_{clock_, LogLevel::kError, -1};
  Counters counters_;
  FakeStore store_;
  Mutex mutex_;
  std::vector<CaptionPtr> journal_;
  std::map<MeetingId, std::uint64_t> settled_;
  CaptionWriter::Options options_;
  std::unique_ptr<CaptionWriter> writer_;
};

TEST_F(CaptionWriterTest, AFlushedCaptionIsStored) {
  start();
  add(1);
  add(2);
  ASSERT_TRUE(flush());
  EXPECT_EQ(store_.offsets(), (Offsets{1, 2}));
  EXPECT_EQ(settled(), 2U);
}

TEST_F(CaptionWriterTest, AFlushOfNothingIsDone) {
  start();
  EXPECT_TRUE(flush());
}

TEST_F(CaptionWriterTest, KeepsCaptionsThroughAnOutage) {
  store_.set_away(true);
  start();
  add(1);
  store_.wait_for_calls(3);
  add(2);
  EXPECT_EQ(settled(), 0U);
  store_.set_away(false);
  ASSERT_TRUE(flush());
  EXPECT_EQ(store_.offsets(), (Offsets{1, 2}));
}

TEST_F(CaptionWriterTest, AFlushDoesNotWaitForEver) {
  store_.set_away(true);
  start();
  add(1);
  store_.wait_for_calls(1);
  auto promise = std::make_shared<std::promise<Status>>();
  auto future = promise->get_future();
  writer_->flush([promise](Status status) { promise->set_value(std::move(status)); });
  clock_.advance_ms(options_.queue.flush_timeout_ms);
  const Status status = future.get();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
}

TEST_F(CaptionWriterTest, OneRefusedCaptionDoesNotHoldUpTheOthers) {
  store_.refuse(3);
  store_.set_away(true);
  start();
  for (std::uint64_t offset = 1; offset <= 5; ++offset)
    add(offset);
  store_.set_away(false);
  ASSERT_TRUE(flush());
  EXPECT_EQ(store_.offsets(), (Offsets{1, 2, 4, 5}));
  EXPECT_EQ(count("qylon_caption_writer_refused_total"), 1U);
  // The journal need not keep it: it would be refused again.
  EXPECT_EQ(settled(), 5U);
}

TEST_F(CaptionWriterTest, WhatTheQueueCannotHoldIsReadFromTheJournal) {
  options_.queue.captions_max = 2;
  store_.set_away(true);
  start();
  for (std::uint64_t offset = 1; offset <= 5; ++offset)
    add(offset);
  EXPECT_EQ(count("qylon_caption_writer_spilled_total"), 3U);
  store_.set_away(false);
  ASSERT_TRUE(flush());
  // Twice for the PostgreSQL of this test; the real one ignores what it has.
  EXPECT_EQ(store_.offsets(), (Offsets{1, 2, 1, 2, 3, 4, 5}));
  EXPECT_EQ(settled(), 5U);
}

TEST_F(CaptionWriterTest, LargeCaptionsFillTheQueueByTheirBytes) {
  options_.queue.bytes_max = 1;
  store_.set_away(true);
  start();
  add(1);
  EXPECT_EQ(count("qylon_caption_writer_spilled_total"), 1U);
  store_.set_away(false);
  EXPECT_TRUE(flush());
  EXPECT_EQ(store_.offsets(), (Offsets{1}));
}

TEST_F(CaptionWriterTest, BatchesAreBounded) {
  options_.queue.batch_captions_max = 2;
  store_.set_away(true);
  start();
  for (std::uint64_t offset = 1; offset <= 5; ++offset)
    add(offset);
  store_.wait_for_calls(1);
  store_.set_away(false);
  const int before = store_.calls();
  ASSERT_TRUE(flush());
  EXPECT_GE(store_.calls() - before, 3);
  EXPECT_EQ(store_.offsets(), (Offsets{1, 2, 3, 4, 5}));
}

TEST_F(CaptionWriterTest, TheDestructorStoresWhatWaits) {
  options_.batch_interval_ms = 1000;
  start();
  add(1);
  add(2);
  writer_.reset();
  EXPECT_EQ(store_.offsets(), (Offsets{1, 2}));
}

TEST_F(CaptionWriterTest, TheDestructorDoesNotWaitForADatabaseThatIsAway) {
  store_.set_away(true);
  start();
  add(1);
  std::optional<ErrorCode> answer;
  writer_->flush([&answer](const Status& status) { answer = status.error().code; });
  writer_.reset();
  EXPECT_EQ(answer, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace qylon::storage

#include "storage/meeting_keys.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/log.hpp"
#include "storage/spool.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::storage {
namespace {

const MeetingId kAnn = MeetingId::random();
const MeetingId kBob = MeetingId::random();

class MeetingKeysTest : public testing::Test {
 protected:
  std::string master(char digit, ::mode_t mode = 0600) const {
    const std::string path = directory_.path() + "/master-" + digit;
    std::ofstream(path) << std::string(64, digit) << "\n";
    ::chmod(path.c_str(), mode);
    return path;
  }
  Result<std::unique_ptr<MeetingKeys>> open(const std::string& master_path) const {
    return MeetingKeys::open(directory_.path() + "/keys", master_path);
  }
  test::TemporaryDirectory directory_;
};

TEST_F(MeetingKeysTest, KeysAreThereAgainWithTheSameMaster) {
  std::vector<std::uint8_t> sealed{1, 2, 3};
  {
    const auto keys = open(master('a'));
    ASSERT_TRUE(keys) << keys.error().message;
    const auto key = (*keys)->create(kAnn);
    ASSERT_TRUE(key);
    (*key)->seal({}, sealed);
    EXPECT_EQ((*keys)->find(kBob), nullptr);
  }
  const auto keys = open(master('a'));
  ASSERT_TRUE(keys);
  ASSERT_NE((*keys)->find(kAnn), nullptr);
  EXPECT_TRUE((*keys)->find(kAnn)->open({}, sealed));
}

TEST_F(MeetingKeysTest, AWrongOrMissingMasterIsSaidAtTheStart) {
  ASSERT_TRUE(open(master('a')));
  for (const std::string& path : {master('b'), std::string()}) {
    const auto keys = open(path);
    ASSERT_FALSE(keys);
    EXPECT_EQ(keys.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(keys.error().message.starts_with("journal-key-file: ")) << keys.error().message;
  }
}

TEST_F(MeetingKeysTest, WithoutAMasterNothingIsSealed) {
  const auto keys = open("");
  ASSERT_TRUE(keys);
  EXPECT_EQ(*keys, nullptr);
}

TEST_F(MeetingKeysTest, AFileThatIsNoKeyIsRefused) {
  EXPECT_FALSE(open(master('x')));
  EXPECT_FALSE(open(master('a', 0604)));
  EXPECT_FALSE(open(directory_.path() + "/none"));
  EXPECT_FALSE(std::filesystem::exists(directory_.path() + "/keys"));
}

TEST_F(MeetingKeysTest, AForgottenMeetingIsErased) {
  const auto keys = open(master('a'));
  ASSERT_TRUE(keys);
  std::vector<std::uint8_t> sealed{1};
  (*(*keys)->create(kAnn))->seal({}, sealed);
  ASSERT_TRUE((*keys)->create(kBob));
  ASSERT_TRUE((*keys)->forget(kAnn));
  EXPECT_EQ((*keys)->meetings(), (std::vector<MeetingId>{kBob}));
  const auto again = open(master('a'));
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->find(kAnn), nullptr);
  EXPECT_FALSE((*(*again)->create(kAnn))->open({}, sealed));
}

/// A spool with keys, on a disk in memory.
class SealedSpoolTest : public MeetingKeysTest {
 protected:
  void SetUp() override {
    auto opened = MeetingKeysTest::open(master('a'));
    ASSERT_TRUE(opened);
    keys_ = std::move(*opened);
    open_spool();
  }
  void open_spool() {
    spool_.reset();
    disk_.kill();
    spool_.emplace(
        options_, std::make_unique<test::SimDisk>(disk_), keys_.get(), log_, counters_, clock_);
    ASSERT_TRUE(spool_->open());
  }
  bool write(MeetingId meeting, std::uint64_t seq) {
    std::vector<SpoolItem> group(1);
    group[0].record.type = RecordType::kCaption;
    group[0].record.meeting = meeting;
    group[0].record.seq = seq;
    group[0].record.payload.assign(kSecret.begin(), kSecret.end());
    return spool_->write(group);
  }
  int read(MeetingId meeting) const {
    int found = 0;
    spool_->read_captions(meeting, 0, [&](const Record& record) {
      EXPECT_EQ(std::string(record.payload.begin(), record.payload.end()), kSecret);
      ++found;
      return true;
    });
    return found;
  }
  std::uint64_t unreadable() {
    return counters_.counter("qylon_journal_unreadable_total", "").value();
  }

  const std::string kSecret = "what was said in confidence";
  test::FakeClock clock_;
  Log log_{clock_, LogLevel::kError, -1};
  Counters counters_;
  test::SimDiskState disk_;
  Spool::Options options_{.segment_bytes = 1 << 20};
  std::unique_ptr<MeetingKeys> keys_;
  std::optional<Spool> spool_;
};

TEST_F(SealedSpoolTest, NothingThatWasSaidIsOnTheDiskInClear) {
  ASSERT_TRUE(write(kAnn, 1));
  open_spool();
  EXPECT_EQ(read(kAnn), 1);
  const auto& bytes = disk_.durable().at(1);
  EXPECT_EQ(std::search(bytes.begin(), bytes.end(), kSecret.begin(), kSecret.end()), bytes.end());
}

TEST_F(SealedSpoolTest, ACopyOfTheSegmentsIsWorthlessWithoutTheMeetingsKey) {
  ASSERT_TRUE(write(kAnn, 1));
  ASSERT_TRUE(write(kBob, 1));
  ASSERT_TRUE(keys_->forget(kAnn));
  open_spool();
  EXPECT_EQ(read(kAnn), 0);
  EXPECT_EQ(read(kBob), 1);
  EXPECT_EQ(unreadable(), 1U);
}

TEST_F(SealedSpoolTest, TheKeyGoesWithTheLastSegmentOfTheMeeting) {
  ASSERT_TRUE(write(kAnn, 1));
  spool_->settle(kAnn, 1);
  spool_->close();
  clock_.advance_ms(options_.audio_keep_ms + 1001);
  spool_->tidy();
  EXPECT_TRUE(keys_->meetings().empty());
}

TEST_F(SealedSpoolTest, ASealedRecordCannotPassForAnother) {
  const auto key = keys_->create(kAnn);
  ASSERT_TRUE(key);
  Record record;
  record.meeting = kAnn;
  record.seq = 7;
  record.payload = {1, 2, 3};
  seal_record(**key, record);
  Record moved = record;
  moved.seq = 8;
  EXPECT_FALSE(unseal_record(**key, moved));
  Record same = record;
  ASSERT_TRUE(unseal_record(**key, same));
  EXPECT_EQ(same.payload, (std::vector<std::uint8_t>{1, 2, 3}));
}

}  // namespace
}  // namespace qylon::storage

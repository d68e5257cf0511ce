// What the journal has called durable is there after kill -9. With --journal DIR the program is the
// server that gets killed: it writes numbered captions and prints each number once it is durable.

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "storage/journal.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::storage {
namespace {

const SystemClock kClock;
const Log kLog(kClock, LogLevel::kError);

Record numbered(std::uint64_t seq) {
  Record record;
  record.seq = seq;
  record.payload.assign(200, static_cast<std::uint8_t>(seq));
  return record;
}

int write_until_killed(const char* directory) {
  Counters counters;
  Journal::Options options;
  options.dir = directory;
  options.spool.segment_bytes = 1 << 20;
  options.sync_interval_ms = 1;
  options.spool.free_bytes_min = 0;
  auto journal = Journal::open(options, kLog, counters, kClock);
  if (!journal) return 1;
  for (std::uint64_t seq = 1;;) {
    const auto print = [seq](bool durable) {
      if (!durable) return;
      char line[32];
      const int length =
          std::snprintf(line, sizeof(line), "%llu\n", static_cast<unsigned long long>(seq));
      [[maybe_unused]] const auto written =
          ::write(STDOUT_FILENO, line, static_cast<std::size_t>(length));
    };
    if ((*journal)->append(numbered(seq), print)) ++seq;
  }
}

/// Starts this program on `directory` and kills it after `lines` durable records; the last of them.
std::uint64_t run_and_kill(const std::string& directory, int lines) {
  int output[2];
  EXPECT_EQ(::pipe2(output, O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  std::string words[]{"writer", "--journal", directory};
  char* arguments[]{words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t pid = 0;
  EXPECT_EQ(::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(output[1]);
  std::FILE* stream = ::fdopen(output[0], "r");
  char line[64] = "";
  for (int i = 0; i < lines && std::fgets(line, sizeof(line), stream) != nullptr; ++i) {
  }
  ::kill(pid, SIGKILL);
  std::uint64_t last = 0;
  do {  // What it printed before it died counts too.
    if (std::string_view(line).ends_with('\n')) last = std::strtoull(line, nullptr, 10);
  } while (std::fgets(line, sizeof(line), stream) != nullptr);
  std::fclose(stream);
  ::waitpid(pid, nullptr, 0);
  return last;
}

TEST(JournalCrash, NothingThatWasCalledDurableIsLost) {
  test::TemporaryDirectory directory;
  for (int run = 0; run < 5; ++run) {
    const std::string dir = directory.path() + "/" + std::to_string(run);
    const std::uint64_t last = run_and_kill(dir, 100 + run * 700);
    ASSERT_GT(last, 0U);
    std::uint64_t expected = 0;
    Counters counters;
    Journal::Options options;
    options.dir = dir;
    const auto journal = Journal::open(options, kLog, counters, kClock);
    ASSERT_TRUE(journal) << journal.error().message;
    (*journal)->spool().read_audio({}, [&expected](const Record& record) {
      ++expected;
      EXPECT_EQ(record.seq, expected);
      EXPECT_EQ(record.payload, numbered(record.seq).payload);
      return true;
    });
    EXPECT_GE(expected, last);
  }
}

TEST(JournalCrash, AJournalThatIsOpenElsewhereIsRefused) {
  // A lock of this process does not stand against itself, so the other is a child.
  test::TemporaryDirectory directory;
  Counters counters;
  Journal::Options options;
  options.dir = directory.path();
  const auto journal = Journal::open(options, kLog, counters, kClock);
  ASSERT_TRUE(journal);
  const std::uint64_t last = run_and_kill(directory.path(), 1);
  EXPECT_EQ(last, 0U);
}

}  // namespace
}  // namespace qylon::storage

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--journal")
    return qylon::storage::write_until_killed(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

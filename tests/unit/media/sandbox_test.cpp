#include "media/containers/sandbox.hpp"

#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

namespace qylon::media {
namespace {

constexpr std::uint64_t kMemoryBytes = 1U << 30;

/// Enters the sandbox, then does what it should not be able to do.
template <typename Escape>
[[noreturn]] void try_to(Escape escape) {
  const auto sandbox = enter_sandbox(kMemoryBytes);
  if (!sandbox || !sandbox->filtered) ::_exit(77);
  escape();
  ::_exit(0);
}

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers need system calls that the sandbox forbids";
#endif
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  }
};

TEST_F(SandboxTest, OpeningAFileKills) {
  EXPECT_EXIT(try_to([] { static_cast<void>(::open("/etc/passwd", O_RDONLY)); }),
              ::testing::KilledBySignal(SIGSYS),
              "");
}

TEST_F(SandboxTest, MakingASocketKills) {
  EXPECT_EXIT(try_to([] { static_cast<void>(::socket(AF_INET, SOCK_STREAM, 0)); }),
              ::testing::KilledBySignal(SIGSYS),
              "");
}

TEST_F(SandboxTest, RunningAProgramKills) {
  EXPECT_EXIT(
      try_to([] { ::execl("/bin/true", "true", nullptr); }), ::testing::KilledBySignal(SIGSYS), "");
}

TEST_F(SandboxTest, TracingAnotherProcessKills) {
  EXPECT_EXIT(try_to([] { ::ptrace(PTRACE_ATTACH, ::getpid() - 1, nullptr, nullptr); }),
              ::testing::KilledBySignal(SIGSYS),
              "");
}

TEST_F(SandboxTest, ForkingKills) {
  EXPECT_EXIT(try_to([] { static_cast<void>(::fork()); }), ::testing::KilledBySignal(SIGSYS), "");
}

TEST_F(SandboxTest, MemoryThatCanBeExecutedKills) {
  EXPECT_EXIT(
      try_to([] {
        static_cast<void>(::mmap(
            nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      }),
      ::testing::KilledBySignal(SIGSYS),
      "");
}

TEST_F(SandboxTest, MoreMemoryThanItsLimitIsRefused) {
  EXPECT_EXIT(try_to([] {
                const bool refused = ::mmap(nullptr,
                                            2 * kMemoryBytes,
                                            PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS,
                                            -1,
                                            0) == MAP_FAILED;
                ::_exit(refused ? 5 : 6);
              }),
              ::testing::ExitedWithCode(5),
              "");
}

TEST_F(SandboxTest, ComputingIsAllowed) {
  EXPECT_EXIT(try_to([] {
                void* const memory = std::malloc(10 << 20);
                const bool got = memory != nullptr;
                std::free(memory);
                ::_exit(got ? 5 : 6);
              }),
              ::testing::ExitedWithCode(5),
              "");
}

}  // namespace
}  // namespace qylon::media

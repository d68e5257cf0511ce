#pragma once
/// A program that a test starts and kills.

#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace qylon::test {

/// Starts `words` (a path, then arguments); is killed with SIGKILL at the end of its life at last.
class SpawnedProcess {
 public:
  explicit SpawnedProcess(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&pid_, arguments[0], nullptr, nullptr, arguments.data(), environ), 0);
  }
  ~SpawnedProcess() { kill(); }
  SpawnedProcess(const SpawnedProcess&) = delete;
  SpawnedProcess& operator=(const SpawnedProcess&) = delete;
  SpawnedProcess(SpawnedProcess&&) = delete;
  SpawnedProcess& operator=(SpawnedProcess&&) = delete;

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace qylon::test

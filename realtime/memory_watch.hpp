#pragma once
/// How close this process is to the memory that it may take.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace qylon::realtime {

/// Over 80 % nobody new is let in; over 90 % the readers with most waiting for them are let go.
///
/// Cost    : level() one atomic load; once a second it asks for the memory taken.
/// Threads : level() is safe from any thread.
class MemoryWatch {
 public:
  enum class Level : std::uint8_t { kFine, kRefuseNew, kShedSlow };
  struct Options {
    std::size_t bytes_max = 0;  ///< > 0.
    std::function<std::size_t()> bytes_taken;
  };

  explicit MemoryWatch(Options options) : options_(std::move(options)) {}

  Level level(std::int64_t now_us);

 private:
  static constexpr std::int64_t kMeasureEveryUs = 1'000'000;

  const Options options_;  // Constant after construction.
  std::atomic<std::int64_t> due_us_{0};
  std::atomic<Level> level_{Level::kFine};
};

/// Resident memory of this process in bytes; 0 when it cannot be read.
std::size_t resident_bytes();
/// What this machine or the control group that we run in has, whichever is less.
std::size_t memory_of_machine_bytes();

}  // namespace qylon::realtime

#include "realtime/memory_watch.hpp"

#include <algorithm>
#include <fstream>

#include <unistd.h>

namespace qylon::realtime {
namespace {

std::size_t page_bytes() {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

MemoryWatch::Level MemoryWatch::level(std::int64_t now_us) {
  std::int64_t due_us = due_us_.load(std::memory_order_relaxed);
  if (now_us < due_us || !due_us_.compare_exchange_strong(due_us, now_us + kMeasureEveryUs))
    return level_.load(std::memory_order_relaxed);
  const std::size_t taken = options_.bytes_taken();
  Level level = Level::kFine;
  if (taken > options_.bytes_max / 10 * 8) level = Level::kRefuseNew;
  if (taken > options_.bytes_max / 10 * 9) level = Level::kShedSlow;
  level_.store(level, std::memory_order_relaxed);
  return level;
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total_pages = 0;
  std::size_t resident_pages = 0;
  if (!(statm >> total_pages >> resident_pages)) return 0;
  return resident_pages * page_bytes();
}

std::size_t memory_of_machine_bytes() {
  const std::size_t machine = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * page_bytes();
  // Absent outside a control group, "max" without a limit: both leave the machine's.
  std::ifstream limit("/sys/fs/cgroup/memory.max");
  std::size_t bytes = 0;
  return limit >> bytes && bytes > 0 ? std::min(bytes, machine) : machine;
}

}  // namespace qylon::realtime

#pragma once
/// The figures of processes, and what is made of them.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#include "core/check.hpp"

namespace qylon::bench {

inline double process_cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

/// Time that the threads of process `pid` that are there now were on a processor.
/// Source: Linux, Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat.
inline double cpu_us_of(pid_t pid) {
  unsigned long long sum_ns = 0;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    std::FILE* const file = std::fopen((task.path() / "schedstat").c_str(), "r");
    unsigned long long on_cpu_ns = 0;
    QYLON_CHECK(file != nullptr && std::fscanf(file, "%llu", &on_cpu_ns) == 1);
    std::fclose(file);
    sum_ns += on_cpu_ns;
  }
  return static_cast<double>(sum_ns) * 1e-3;
}

inline double resident_bytes() {
  long pages = 0;
  long resident = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  QYLON_CHECK(file != nullptr && std::fscanf(file, "%ld %ld", &pages, &resident) == 2);
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

inline double quantile(std::vector<double> values, double share) {
  QYLON_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}
inline double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

/// Prints "PASS what" or "FAIL what"; returns `holds`.
inline bool verdict(bool holds, const char* what) {
  std::printf("%s %s\n", holds ? "PASS" : "FAIL", what);
  return holds;
}

inline void wait_ms(int ms) {
  ::poll(nullptr, 0, ms);
}

}  // namespace qylon::bench

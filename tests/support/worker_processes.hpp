#pragma once
/// The worker processes of this process, as the kernel lists them.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace qylon::test {

inline std::vector<int> children_of(const std::filesystem::path& task) {
  std::ifstream file(task / "children");
  return {std::istream_iterator<int>(file), std::istream_iterator<int>()};
}

/// The children of our children: not the zygotes, which fork them.
inline std::vector<int> worker_processes() {
  std::vector<int> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    for (const int zygote : children_of(task.path())) {
      const std::string pid = std::to_string(zygote);
      const auto pids = children_of("/proc/" + pid + "/task/" + pid);
      found.insert(found.end(), pids.begin(), pids.end());
    }
  }
  return found;
}

}  // namespace qylon::test

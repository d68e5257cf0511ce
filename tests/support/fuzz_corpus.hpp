#pragma once
/// Replays the seeds of fuzz targets in every test run, so that what they once found stays found.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace qylon::test {

/// Runs `target` on every file of tests/fuzz/corpus/`program`. Output: how many there were.
inline int replay_corpus(const std::string& program,
                         int (*target)(const std::uint8_t*, std::size_t)) {
  int seeds = 0;
  const auto folder = std::filesystem::path(QYLON_TEST_DATA) / "../fuzz/corpus" / program;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    target(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++seeds;
  }
  return seeds;
}

}  // namespace qylon::test

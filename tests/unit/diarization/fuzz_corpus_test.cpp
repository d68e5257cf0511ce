// Replays the seeds of the fuzz targets, so that what they once found stays found.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_scoring
#include "tests/fuzz/diarization_scoring_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

using Target = int (*)(const std::uint8_t*, std::size_t);

int replay(const char* program, Target target) {
  int count = 0;
  const auto folder = std::filesystem::path(QYLON_TEST_DATA) / "../fuzz/corpus" / program;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    target(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++count;
  }
  return count;
}

TEST(FuzzCorpus, OfScoringIsAccepted) {
  EXPECT_GT(replay("diarization_scoring_fuzz", fuzz_scoring), 0);
}

}  // namespace

// Replays the seeds of the fuzz targets, so that what they once found stays found.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_journal
#include "tests/fuzz/storage_journal_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

TEST(FuzzCorpus, OfTheJournalIsAccepted) {
  int count = 0;
  const auto folder =
      std::filesystem::path(QYLON_TEST_DATA) / "../fuzz/corpus/storage_journal_fuzz";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    fuzz_journal(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++count;
  }
  EXPECT_GT(count, 0);
}

}  // namespace

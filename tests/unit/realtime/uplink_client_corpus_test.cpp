// Replays the seeds of the fuzz target, so that what they once found stays found.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_uplink_client
#include "tests/fuzz/realtime_uplink_client_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

TEST(UplinkClientCorpus, BreaksNoInvariant) {
  const std::filesystem::path corpus =
      QYLON_TEST_DATA "/../fuzz/corpus/realtime_uplink_client_fuzz";
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    fuzz_uplink_client(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++count;
  }
  EXPECT_GT(count, 0);
}

}  // namespace

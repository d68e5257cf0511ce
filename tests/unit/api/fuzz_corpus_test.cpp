// Replays the seeds of the fuzz targets, whose own checks then run in every test run.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_export
#include "tests/fuzz/api_export_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_meeting_request
#include "tests/fuzz/api_meeting_request_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace qylon::api {
namespace {

int replay(const std::string& program, int (*target)(const std::uint8_t*, std::size_t)) {
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

TEST(FuzzCorpus, OfExportsIsHandled) {
  EXPECT_GE(replay("api_export_fuzz", fuzz_export), 3);
}

TEST(FuzzCorpus, OfMeetingRequestsIsHandled) {
  EXPECT_GE(replay("api_meeting_request_fuzz", fuzz_meeting_request), 4);
}

}  // namespace
}  // namespace qylon::api

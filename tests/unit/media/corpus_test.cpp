// Replays the seeds of the module's fuzz targets, and every input that once broke one.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_container
#include "tests/fuzz/media_container_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_jitter_buffer
#include "tests/fuzz/media_jitter_buffer_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_recording
#include "tests/fuzz/media_recording_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_stream_graph
#include "tests/fuzz/media_stream_graph_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_uplink_frame
#include "tests/fuzz/media_uplink_frame_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace qylon::media {
namespace {

using FuzzTarget = int (*)(const std::uint8_t*, std::size_t);

/// A broken invariant aborts the program; what is counted is that there were inputs.
int replay(const std::string& program, FuzzTarget target) {
  const std::filesystem::path corpus = QYLON_TEST_DATA "/../fuzz/corpus/" + program;
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    target(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++inputs;
  }
  return inputs;
}

TEST(MediaCorpus, EveryInputKeepsTheInvariants) {
  EXPECT_GE(replay("media_container_fuzz", fuzz_container), 12);
  EXPECT_GE(replay("media_jitter_buffer_fuzz", fuzz_jitter_buffer), 4);
  EXPECT_GE(replay("media_recording_fuzz", fuzz_recording), 4);
  EXPECT_GE(replay("media_stream_graph_fuzz", fuzz_stream_graph), 4);
  EXPECT_GE(replay("media_uplink_frame_fuzz", fuzz_uplink_frame), 6);
}

}  // namespace
}  // namespace qylon::media

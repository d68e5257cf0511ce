// Replays the seeds of the fuzz targets, whose own checks then run in every test run.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_chunk_decoder
#include "tests/fuzz/realtime_chunk_decoder_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_messages
#include "tests/fuzz/realtime_messages_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_outbox
#include "tests/fuzz/realtime_outbox_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_resume
#include "tests/fuzz/realtime_resume_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_uplink_session
#include "tests/fuzz/realtime_uplink_session_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

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

TEST(RealtimeCorpus, OfChunkedBodiesIsHandled) {
  EXPECT_GE(replay("realtime_chunk_decoder_fuzz", fuzz_chunk_decoder), 3);
}

TEST(RealtimeCorpus, OfMessagesIsHandled) {
  EXPECT_GE(replay("realtime_messages_fuzz", fuzz_messages), 6);
}

TEST(RealtimeCorpus, OfOutboxSchedulesKeepsOrder) {
  EXPECT_GE(replay("realtime_outbox_fuzz", fuzz_outbox), 3);
}

TEST(RealtimeCorpus, OfResumeSchedulesLosesNothing) {
  EXPECT_GE(replay("realtime_resume_fuzz", fuzz_resume), 3);
}

TEST(RealtimeCorpus, OfUplinksIsHandled) {
  EXPECT_GE(replay("realtime_uplink_session_fuzz", fuzz_uplink_session), 3);
}

}  // namespace

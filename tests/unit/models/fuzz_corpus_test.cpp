// Replays the seeds of the recognisers' fuzz targets, so that what they once found stays found.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_frame
#include "tests/fuzz/models_frame_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_transcription
#include "tests/fuzz/models_transcription_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_vocabulary
#include "tests/fuzz/models_vocabulary_fuzz.cpp"
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

TEST(ModelsFuzzCorpus, OfWorkerFramesIsReadOrRefused) {
  EXPECT_GT(replay("models_frame_fuzz", fuzz_frame), 0);
}
TEST(ModelsFuzzCorpus, OfTranscriptionsIsReadOrRefused) {
  EXPECT_GT(replay("models_transcription_fuzz", fuzz_transcription), 0);
}
TEST(ModelsFuzzCorpus, OfVocabularyIsReadOrRefused) {
  EXPECT_GT(replay("models_vocabulary_fuzz", fuzz_vocabulary), 0);
}

}  // namespace

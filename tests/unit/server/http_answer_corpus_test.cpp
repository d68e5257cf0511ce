// Replays the seeds of the fuzz target, so that what they once found stays found.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_http_answer
#include "tests/fuzz/server_http_answer_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

TEST(HttpAnswerCorpus, BreaksNoInvariant) {
  const std::filesystem::path corpus = QYLON_TEST_DATA "/../fuzz/corpus/server_http_answer_fuzz";
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    fuzz_http_answer(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++count;
  }
  EXPECT_GT(count, 0);
}

}  // namespace

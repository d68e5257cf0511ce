// Replays the seeds of the recognisers' fuzz targets, so that what they once found stays found.

#include "tests/support/fuzz_corpus.hpp"

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

TEST(ModelsFuzzCorpus, OfWorkerFramesIsReadOrRefused) {
  EXPECT_GT(qylon::test::replay_corpus("models_frame_fuzz", fuzz_frame), 0);
}
TEST(ModelsFuzzCorpus, OfTranscriptionsIsReadOrRefused) {
  EXPECT_GT(qylon::test::replay_corpus("models_transcription_fuzz", fuzz_transcription), 0);
}
TEST(ModelsFuzzCorpus, OfVocabularyIsReadOrRefused) {
  EXPECT_GT(qylon::test::replay_corpus("models_vocabulary_fuzz", fuzz_vocabulary), 0);
}

}  // namespace

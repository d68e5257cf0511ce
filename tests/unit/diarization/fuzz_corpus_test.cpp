// Replays the seeds of the fuzz targets, so that what they once found stays found.

#include "tests/support/fuzz_corpus.hpp"

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_scoring
#include "tests/fuzz/diarization_scoring_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

TEST(FuzzCorpus, OfScoringIsAccepted) {
  EXPECT_GT(qylon::test::replay_corpus("diarization_scoring_fuzz", fuzz_scoring), 0);
}

}  // namespace

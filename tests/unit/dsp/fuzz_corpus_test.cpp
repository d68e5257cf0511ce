// Replays the seeds of the fuzz targets, so that what they once found stays found.

#include "tests/support/fuzz_corpus.hpp"

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_front_end
#include "tests/fuzz/dsp_front_end_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

TEST(FuzzCorpus, OfTheFrontEndIsAccepted) {
  EXPECT_GT(qylon::test::replay_corpus("dsp_front_end_fuzz", fuzz_front_end), 0);
}

}  // namespace

// Replays the seeds of the fuzz targets, so that what they once found stays found.

#include "tests/support/fuzz_corpus.hpp"

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_journal
#include "tests/fuzz/storage_journal_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

TEST(FuzzCorpus, OfTheJournalIsAccepted) {
  EXPECT_GT(qylon::test::replay_corpus("storage_journal_fuzz", fuzz_journal), 0);
}

}  // namespace

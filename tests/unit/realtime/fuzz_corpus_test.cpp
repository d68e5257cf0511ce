// Replays the seeds of the fuzz targets, whose own checks then run in every test run.

#include "tests/support/fuzz_corpus.hpp"

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_chunk_decoder
#include "tests/fuzz/realtime_chunk_decoder_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_edge
#include "tests/fuzz/realtime_edge_fuzz.cpp"
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
#define LLVMFuzzerTestOneInput fuzz_source_request
#include "tests/fuzz/realtime_source_request_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_ws_url
#include "tests/fuzz/realtime_ws_url_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace {

TEST(RealtimeCorpus, OfUrlsIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("realtime_ws_url_fuzz", fuzz_ws_url), 5);
}

TEST(RealtimeCorpus, OfChunkedBodiesIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("realtime_chunk_decoder_fuzz", fuzz_chunk_decoder), 3);
}

TEST(RealtimeCorpus, OfSourceClientsIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("realtime_source_request_fuzz", fuzz_source_request), 4);
}

TEST(RealtimeCorpus, OfClientsIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("realtime_edge_fuzz", fuzz_edge), 8);
}

TEST(RealtimeCorpus, OfMessagesIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("realtime_messages_fuzz", fuzz_messages), 6);
}

TEST(RealtimeCorpus, OfOutboxSchedulesKeepsOrder) {
  EXPECT_GE(qylon::test::replay_corpus("realtime_outbox_fuzz", fuzz_outbox), 3);
}

TEST(RealtimeCorpus, OfResumeSchedulesLosesNothing) {
  EXPECT_GE(qylon::test::replay_corpus("realtime_resume_fuzz", fuzz_resume), 3);
}

TEST(RealtimeCorpus, OfUplinksIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("realtime_uplink_session_fuzz", fuzz_uplink_session), 3);
}

}  // namespace

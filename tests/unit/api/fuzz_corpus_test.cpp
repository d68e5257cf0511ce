// Replays the seeds of the fuzz targets, whose own checks then run in every test run.

#include "tests/support/fuzz_corpus.hpp"

#include <gtest/gtest.h>

#define LLVMFuzzerTestOneInput fuzz_cron
#include "tests/fuzz/api_cron_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_entity_request
#include "tests/fuzz/api_entity_request_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_outbound_url
#include "tests/fuzz/api_outbound_url_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_signed_link
#include "tests/fuzz/api_signed_link_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_export
#include "tests/fuzz/api_export_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_insight
#include "tests/fuzz/api_insight_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_jwt
#include "tests/fuzz/api_jwt_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_meeting_request
#include "tests/fuzz/api_meeting_request_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_model_answer
#include "tests/fuzz/api_model_answer_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_session_cookie
#include "tests/fuzz/api_session_cookie_fuzz.cpp"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_voice_request
#include "tests/fuzz/api_voice_request_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace qylon::api {
namespace {

TEST(FuzzCorpus, OfCookiesIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("api_session_cookie_fuzz", fuzz_session_cookie), 3);
}
TEST(FuzzCorpus, OfModelAnswersIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("api_model_answer_fuzz", fuzz_model_answer), 4);
}
TEST(FuzzCorpus, OfSchedulesIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("api_cron_fuzz", fuzz_cron), 4);
}

TEST(FuzzCorpus, OfEntityRequestsIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("api_entity_request_fuzz", fuzz_entity_request), 6);
}

TEST(FuzzCorpus, OfCalledUrlsIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("api_outbound_url_fuzz", fuzz_outbound_url), 5);
}

TEST(FuzzCorpus, OfFileLinksIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("api_signed_link_fuzz", fuzz_signed_link), 3);
}

TEST(FuzzCorpus, OfExportsIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("api_export_fuzz", fuzz_export), 3);
}

TEST(FuzzCorpus, OfTranscriptsIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("api_insight_fuzz", fuzz_insight), 3);
}

TEST(FuzzCorpus, OfTokensIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("api_jwt_fuzz", fuzz_jwt), 4);
}

TEST(FuzzCorpus, OfMeetingRequestsIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("api_meeting_request_fuzz", fuzz_meeting_request), 4);
}

TEST(FuzzCorpus, OfVoiceRequestsIsHandled) {
  EXPECT_GE(qylon::test::replay_corpus("api_voice_request_fuzz", fuzz_voice_request), 3);
}

}  // namespace
}  // namespace qylon::api

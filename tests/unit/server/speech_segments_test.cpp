#include <gtest/gtest.h>

#include "server/speech_segments_json.hpp"
#include "tests/support/fuzz_corpus.hpp"

#define LLVMFuzzerTestOneInput fuzz_speech_segments
#include "tests/fuzz/server_speech_segments_fuzz.cpp"
#undef LLVMFuzzerTestOneInput

namespace qylon::server {
namespace {

TEST(SpeechSegments, AreReadWithWhateverElseTheyHold) {
  const auto segments = parse_speech_segments(R"([{"id":"a","spk":"x","start":0.5,"dur":5}])");
  ASSERT_TRUE(segments);
  ASSERT_EQ(segments->size(), 1U);
  EXPECT_EQ((*segments)[0].id, "a");
  EXPECT_DOUBLE_EQ((*segments)[0].start_s, 0.5);
  EXPECT_DOUBLE_EQ((*segments)[0].duration_s, 5);
}

TEST(SpeechSegments, AreRefusedWithTheirNumber) {
  for (const char* text : {R"([{"id":"a","start":0,"dur":5},{"id":1,"start":0,"dur":5}])",
                           R"([{"id":"a","start":0,"dur":5},{"id":"b","start":-1,"dur":5}])",
                           R"([{"id":"a","start":0,"dur":5},{"id":"b","dur":5}])",
                           R"([{"id":"a","start":0,"dur":5},7])"}) {
    const auto segments = parse_speech_segments(text);
    ASSERT_FALSE(segments) << text;
    EXPECT_TRUE(segments.error().message.starts_with("segment 1 ")) << segments.error().message;
  }
  EXPECT_FALSE(parse_speech_segments("{}"));
}

TEST(SpeechSegments, CorpusBreaksNoInvariant) {
  EXPECT_GT(test::replay_corpus("server_speech_segments_fuzz", fuzz_speech_segments), 0);
}

}  // namespace
}  // namespace qylon::server

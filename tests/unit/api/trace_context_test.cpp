#include "api/core/trace_context.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

// The example of the specification's section 3.2.
const std::string kReceived = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContext, GoesOnWithTheTraceUnderASpanOfItsOwn) {
  const std::string ours = continue_trace(kReceived);
  ASSERT_EQ(ours.size(), 55U);
  EXPECT_EQ(ours.substr(0, 36), kReceived.substr(0, 36));
  EXPECT_NE(ours.substr(36, 16), kReceived.substr(36, 16));
  EXPECT_EQ(ours.substr(52), "-01");
}

TEST(TraceContext, KeepsWhatWasNotSampled) {
  EXPECT_EQ(continue_trace(kReceived.substr(0, 53) + "02").substr(52), "-00");
}

TEST(TraceContext, TakesALaterVersionThatSaysMore) {
  const std::string later = "cc" + kReceived.substr(2) + "-what-the-future-will-be-like";
  EXPECT_EQ(continue_trace(later).substr(3, 32), kReceived.substr(3, 32));
}

TEST(TraceContext, BeginsANewTraceWhenNoneCame) {
  for (const std::string& wrong :
       {std::string(),
        "ff" + kReceived.substr(2),
        kReceived + "-more",
        "00-" + std::string(32, '0') + kReceived.substr(35),
        kReceived.substr(0, 36) + std::string(16, '0') + "-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01" + std::string()}) {
    const std::string ours = continue_trace(wrong);
    EXPECT_EQ(ours.size(), 55U);
    EXPECT_EQ(wrong.find(ours.substr(3, 32)), std::string::npos);
  }
}

}  // namespace
}  // namespace qylon::api

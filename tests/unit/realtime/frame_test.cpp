#include "realtime/frame.hpp"

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

// RFC 6455 section 5.2: FIN and opcode 9, length 1. The byte matters: libwebsockets 4.1.6 reports
// no pong that is empty, and every quiet subscriber would be hung up on after 30 s.
TEST(Frame, OfAPingHasAPayload) {
  EXPECT_EQ(*make_ping_frame(), "\x89\x01q");
}

}  // namespace
}  // namespace qylon::realtime

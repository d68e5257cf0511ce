#include <gtest/gtest.h>

#include "core/worker/frame.hpp"

namespace qylon {
namespace {

TEST(FrameReader, GivesFramesBackWhateverTheirPieces) {
  std::string bytes;
  append_frame(bytes, kRoleFrame, "abc");
  append_frame(bytes, kRoleFrame + 1, "");
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    FrameReader reader;
    std::vector<Frame> frames;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      reader.append(std::string_view(bytes).substr(at, piece));
      for (auto frame = reader.next(); frame->has_value(); frame = reader.next())
        frames.push_back(**frame);
    }
    ASSERT_EQ(frames.size(), 2U) << piece;
    EXPECT_EQ(frames[0].payload, "abc");
    EXPECT_EQ(frames[1].type, kRoleFrame + 1);
  }
}

TEST(FrameReader, RefusesAFrameAboveItsLimit) {
  std::string bytes;
  append_frame(bytes, kRoleFrame, std::string(11, 'x'));
  FrameReader reader(10);
  reader.append(bytes);
  EXPECT_FALSE(reader.next());
}

TEST(FrameReader, RefusesAnUnknownType) {
  FrameReader reader;
  reader.append(std::string("\0\0\0\0\xEE", 5));
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace qylon

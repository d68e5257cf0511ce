#include "media/uplink_frame.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::media {
namespace {

std::vector<std::uint8_t> good_frame() {
  // docs/PROTOCOL.md, field by field: version, flags, track, seq, capture_us, payload.
  return {1, 0, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0x03, 0x04, 0, 0, 0, 0, 0x05, 0x06, 0x07, 0x08, 0xAA};
}

std::string refusal_of(std::span<const std::uint8_t> bytes) {
  const auto frame = parse_uplink(bytes);
  return frame ? "" : frame.error().message;
}

TEST(UplinkFrame, ReadsEveryFieldBigEndian) {
  const auto frame = parse_uplink(good_frame());
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->flags, 0);
  EXPECT_EQ(frame->track, 0x0102);
  EXPECT_EQ(frame->seq, 0x0304U);
  EXPECT_EQ(frame->capture_us, 0x05060708U);
  EXPECT_EQ(frame->payload, std::vector<std::uint8_t>{0xAA});
}

TEST(UplinkFrame, EncodingIsTheInverse) {
  EXPECT_EQ(encode_uplink(*parse_uplink(good_frame())), good_frame());
}

TEST(UplinkFrame, EveryTruncationOfTheHeaderIsRefused) {
  const auto bytes = good_frame();
  for (std::size_t size = 0; size < kUplinkHeaderBytes; ++size)
    EXPECT_NE(refusal_of(std::span(bytes).first(size)).find("too short"), std::string::npos);
}

TEST(UplinkFrame, AnotherVersionIsRefused) {
  auto bytes = good_frame();
  bytes[0] = 2;
  EXPECT_EQ(refusal_of(bytes), "version 2 is unknown; send version 1");
}

TEST(UplinkFrame, UnknownFlagsAreRefused) {
  auto bytes = good_frame();
  bytes[1] = 0x03;
  EXPECT_EQ(refusal_of(bytes), "flags 3 are unknown; only bit 0 may be set");
}

TEST(UplinkFrame, OnlyTheLastFrameMayBeEmpty) {
  auto bytes = good_frame();
  bytes.pop_back();
  EXPECT_NE(refusal_of(bytes).find("empty"), std::string::npos);
  bytes[1] = kUplinkFlagEnd;
  const auto frame = parse_uplink(bytes);
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->ends_track());
}

TEST(UplinkFrame, ThePayloadIsBounded) {
  auto bytes = good_frame();
  bytes.resize(kUplinkHeaderBytes + kUplinkPayloadBytesMax);
  EXPECT_TRUE(parse_uplink(bytes));
  bytes.push_back(0);
  EXPECT_NE(refusal_of(bytes).find("32768"), std::string::npos);
}

TEST(UplinkFrame, NumbersThatJsonCannotRepeatAreRefused) {
  for (const std::size_t offset : {4U, 12U}) {
    auto bytes = good_frame();
    bytes[offset + 1] = 0x20;  // 2^53.
    EXPECT_EQ(refusal_of(bytes), "seq and capture_us must be below 2^53");
  }
}

}  // namespace
}  // namespace qylon::media

#include "realtime/ingest_framer.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

constexpr media::AudioFormat kPcm{media::Codec::kPcmS16le, 16000, 2};
constexpr std::size_t kPacket = 1280;  // 20 ms of 16 kHz, two channels, two bytes.

TEST(IngestFramer, PcmBecomesPacketsOfTwentyMillisecondsHoweverItIsCut) {
  for (const std::size_t cut : {1U, 7U, 1280U, 4000U}) {
    IngestFramer framer(3, kPcm);
    std::deque<media::UplinkFrame> frames;
    const std::string body(kPacket * 4, 'x');
    for (std::size_t at = 0; at < body.size(); at += cut)
      framer.feed(std::string_view(body).substr(at, cut), frames);
    ASSERT_EQ(frames.size(), 4U);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      EXPECT_EQ(frames[i].track, 3);
      EXPECT_EQ(frames[i].seq, i);
      EXPECT_EQ(frames[i].capture_us, i * 20'000);
      EXPECT_EQ(frames[i].payload.size(), kPacket);
    }
  }
}

TEST(IngestFramer, TheRestOfPcmGoesWithItsEndInWholeSamples) {
  IngestFramer framer(0, kPcm);
  std::deque<media::UplinkFrame> frames;
  framer.feed(std::string(kPacket + 1001, 'x'), frames);
  framer.finish(frames);
  ASSERT_EQ(frames.size(), 3U);
  EXPECT_EQ(frames[1].payload.size(), 1000U);
  EXPECT_TRUE(frames[2].ends_track());
  EXPECT_TRUE(frames[2].payload.empty());
}

TEST(IngestFramer, ARestThatIsShorterThanAPacketMayBeIsLeftOut) {
  IngestFramer framer(0, kPcm);
  std::deque<media::UplinkFrame> frames;
  framer.feed(std::string(100, 'x'), frames);
  framer.finish(frames);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(frames[0].ends_track());
}

TEST(IngestFramer, PiecesOfAStreamGoOnAsTheyCome) {
  IngestFramer framer(0, {media::Codec::kWebm, 48000, 1});
  std::deque<media::UplinkFrame> frames;
  framer.feed("a", frames);
  framer.feed(std::string(media::kUplinkPayloadBytesMax + 5, 'b'), frames);
  framer.finish(frames);
  ASSERT_EQ(frames.size(), 4U);
  EXPECT_EQ(frames[0].payload.size(), 1U);
  EXPECT_EQ(frames[1].payload.size(), media::kUplinkPayloadBytesMax);
  EXPECT_EQ(frames[2].payload.size(), 5U);
  EXPECT_EQ(framer.count(), 4U);
}

}  // namespace
}  // namespace qylon::realtime

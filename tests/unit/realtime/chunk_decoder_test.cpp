#include "realtime/chunk_decoder.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

using State = ChunkDecoder::State;

struct Decoded {
  State state;
  std::string body;
};

Decoded decode(std::string_view bytes, std::size_t step, std::size_t body_bytes_max = 1000) {
  ChunkDecoder decoder(body_bytes_max);
  Decoded decoded{State::kMore, {}};
  for (std::size_t at = 0; at < bytes.size(); at += step)
    decoded.state = decoder.feed(bytes.substr(at, step), decoded.body);
  return decoded;
}

// The example of RFC 9112 section 7.1.3's grammar: two chunks, an extension and a trailer.
constexpr std::string_view kExample =
    "4\r\nWiki\r\n6;name=value\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nExpires: x\r\n\r\n";

TEST(ChunkDecoder, DecodesTheSameForAnyBlockSize) {
  for (const std::size_t step : {1U, 2U, 3U, 7U, 1000U}) {
    const Decoded decoded = decode(kExample, step);
    EXPECT_EQ(decoded.state, State::kDone);
    EXPECT_EQ(decoded.body, "Wikipedia in \r\n\r\nchunks.");
  }
}

TEST(ChunkDecoder, IgnoresWhatFollowsTheLastChunk) {
  const Decoded decoded = decode("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1", 1000);
  EXPECT_EQ(decoded.state, State::kDone);
  EXPECT_EQ(decoded.body, "a");
}

TEST(ChunkDecoder, AnUnfinishedBodyWantsMore) {
  EXPECT_EQ(decode("5\r\nabc", 1).state, State::kMore);
  EXPECT_EQ(decode("0\r\n", 1).state, State::kMore);
}

TEST(ChunkDecoder, RefusesWhatALenientReaderWouldGuessAt) {
  for (const std::string_view bytes : {"\r\n",
                                       "g\r\n",
                                       "-1\r\n",
                                       "0x1\r\na\r\n",
                                       " 1\r\na\r\n",
                                       "1 \r\na\r\n",
                                       "1\na\n0\n\n",
                                       "1\ra\r\n",
                                       "1\r\nab\r\n",
                                       "1\r\na\n",
                                       "123456789\r\n",
                                       "1;a\nb\r\n",
                                       "0\r\nTrailer: a\nb\r\n\r\n"})
    EXPECT_EQ(decode(bytes, 1000).state, State::kBad) << bytes;
}

TEST(ChunkDecoder, EndlessExtensionsAndTrailersAreRefused) {
  EXPECT_EQ(decode("1;" + std::string(9000, 'x'), 1000).state, State::kBad);
  EXPECT_EQ(decode("0\r\n" + std::string(9000, 'x'), 1000).state, State::kBad);
}

TEST(ChunkDecoder, ABodyOverTheLimitIsToldApart) {
  EXPECT_EQ(decode("5\r\nabcde\r\n6\r\n", 1, 10).state, State::kTooLong);
  EXPECT_EQ(decode("FFFFFFFF\r\n", 1, 10).state, State::kTooLong);
  EXPECT_EQ(decode("5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n", 1, 10).state, State::kDone);
}

}  // namespace
}  // namespace qylon::realtime

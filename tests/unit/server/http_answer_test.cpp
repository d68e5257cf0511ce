#include "server/http_answer.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::server {
namespace {

/// Feeds `text` in pieces of `piece` bytes, then the end of the connection.
Result<HttpAnswer> parse(const std::string& text, std::size_t piece, std::size_t body_max = 1000) {
  HttpAnswerParser parser({.body_bytes_max = body_max});
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const Status status = parser.feed(std::string_view(text).substr(at, piece));
    if (!status) return status.error();
  }
  const Status status = parser.finish();
  if (!status) return status.error();
  return parser.take();
}

const std::string kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5;ext=1\r\nhello\r\nA\r\n, chunks!!\r\n0\r\nTrailer: x\r\n\r\n";

TEST(HttpAnswerParser, ReadsALengthForAnyPieceSize) {
  const std::string text =
      "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n{\"a\"";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto answer = parse(text, piece);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->content_type, "application/json");
    EXPECT_EQ(answer->body, "{\"a\"");
  }
}

TEST(HttpAnswerParser, ReadsChunksForAnyPieceSize) {
  for (std::size_t piece = 1; piece <= kChunked.size(); ++piece) {
    const auto answer = parse(kChunked, piece);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, "hello, chunks!!");
  }
}

TEST(HttpAnswerParser, ReadsUntilTheCloseWhenNoLengthIsGiven) {
  const auto answer = parse("HTTP/1.0 200 OK\r\n\r\nall of it", 3);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "all of it");
}

TEST(HttpAnswerParser, SkipsAnInterimAnswer) {
  // RFC 9110 section 15.2.
  const auto answer =
      parse("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 5);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "ok");
}

TEST(HttpAnswerParser, NoContentHasNoBody) {
  EXPECT_TRUE(parse("HTTP/1.1 204 No Content\r\n\r\n", 100));
}

TEST(HttpAnswerParser, NoticesAnAnswerThatBreaksOff) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto answer = parse(whole.substr(0, size), 7);
    ASSERT_FALSE(answer) << size;
    EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  }
}

class WrongAnswer : public ::testing::TestWithParam<const char*> {};

TEST_P(WrongAnswer, IsRefused) {
  const auto answer = parse(GetParam(), 4);
  ASSERT_FALSE(answer) << GetParam();
  EXPECT_EQ(answer.error().code, ErrorCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    WrongAnswer,
    ::testing::Values("SSH-2.0-OpenSSH_9.2\r\n",
                      "HTTP/2 200 OK\r\n\r\n",
                      "HTTP/1.1 999 No\r\n\r\n",
                      "HTTP/1.1 200\r\nnot a header\r\n\r\n",
                      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"));

class LongAnswer : public ::testing::TestWithParam<const char*> {};

TEST_P(LongAnswer, IsRefusedBeyondTheBound) {
  const auto answer = parse(GetParam(), 4, 8);
  ASSERT_FALSE(answer) << GetParam();
  EXPECT_EQ(answer.error().code, ErrorCode::kOverloaded);
}

INSTANTIATE_TEST_SUITE_P(
    Table,
    LongAnswer,
    ::testing::Values("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
                      "HTTP/1.1 200 OK\r\n\r\n123456789",
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\n12345\r\n4\r\n6789\r\n"));

TEST(HttpAnswerParser, RefusesAHeadWithoutEnd) {
  HttpAnswerParser parser({});
  Status status = parser.feed("HTTP/1.1 200 OK\r\n");
  const std::string header = "X-Padding: " + std::string(1000, 'x') + "\r\n";
  for (int i = 0; i < 100 && status; ++i)
    status = parser.feed(header);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kOverloaded);
}

}  // namespace
}  // namespace qylon::server

#include "realtime/source_request.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

using State = SourceRequest::State;

// What ffmpeg 5.1 sends for icecast:// with -legacy_icecast 1.
constexpr std::string_view kFfmpeg =
    "SOURCE /v1/ingest/new?title=A%20b&x HTTP/1.1\r\n"
    "User-Agent: Lavf/59.27.100\r\nAccept: */*\r\nConnection: close\r\nHost: 127.0.0.1:8080\r\n"
    "Content-Type: audio/ogg\r\nIcy-MetaData: 1\r\nAuthorization: Basic c291cmNlOnB3\r\n\r\n";

TEST(SourceRequest, IsReadForAnyPieceSize) {
  for (const std::size_t piece : {1U, 3U, 1000U}) {
    SourceRequest request;
    auto state = State::kMore;
    const std::string text = std::string(kFfmpeg) + "OggS";
    for (std::size_t at = 0; at < text.size() && state == State::kMore; at += piece)
      state = request.feed(std::string_view(text).substr(at, piece));
    ASSERT_EQ(state, State::kWhole);
    const UploadHead& head = request.head();
    EXPECT_EQ(head.request.method, "SOURCE");
    EXPECT_EQ(head.request.path, "/v1/ingest/new");
    ASSERT_EQ(head.query.size(), 2U);
    EXPECT_EQ(head.query[0].second, "A b");
    EXPECT_EQ(head.query[1].first, "x");
    EXPECT_EQ(head.content_type, "audio/ogg");
    EXPECT_EQ(head.request.authorization, "Basic c291cmNlOnB3");
    EXPECT_TRUE(std::string_view("OggS").starts_with(request.rest()));
  }
}

TEST(SourceRequest, AnotherMethodIsKnownByItsFirstBytes) {
  SourceRequest request;
  EXPECT_EQ(request.feed("SO"), State::kMore);
  EXPECT_EQ(request.feed("AP"), State::kOther);
}

TEST(SourceRequest, WhatNoSourceClientSaysIsRefused) {
  for (const std::string text : {"SOURCE\r\n\r\n",
                                 "SOURCE /a\r\n\r\n",
                                 "SOURCE /a%4 HTTP/1.0\r\n\r\n",
                                 "SOURCE /a%00 HTTP/1.0\r\n\r\n",
                                 "SOURCE /a%FF HTTP/1.0\r\n\r\n",
                                 "SOURCE /a HTTP/1.0\r\nno colon\r\n\r\n"}) {
    SourceRequest request;
    EXPECT_EQ(request.feed(text), State::kOther) << text;
  }
}

TEST(SourceRequest, AHeadIsBounded) {
  SourceRequest request;
  EXPECT_EQ(request.feed("SOURCE /"), State::kMore);
  EXPECT_EQ(request.feed(std::string(9000, 'a')), State::kOther);
}

}  // namespace
}  // namespace qylon::realtime

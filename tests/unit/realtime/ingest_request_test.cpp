#include "realtime/ingest_request.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

using media::Codec;
using Query = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kMeeting = "11111111-2222-4333-8444-555555555555";

std::variant<IngestRequest, HttpRefusal> read(const Query& query,
                                              std::string_view content_type = "",
                                              std::string_view meeting = kMeeting) {
  UploadHead head;
  head.request.path = "/v1/ingest/" + std::string(meeting);
  head.query = query;
  head.content_type = content_type;
  return read_ingest_request(head);
}

int refused(const std::variant<IngestRequest, HttpRefusal>& read) {
  const auto* const refusal = std::get_if<HttpRefusal>(&read);
  return refusal == nullptr ? 0 : refusal->status;
}

media::AudioFormat format_of(const std::variant<IngestRequest, HttpRefusal>& read) {
  EXPECT_EQ(refused(read), 0) << std::get_if<HttpRefusal>(&read)->detail;
  return std::get<IngestRequest>(read).track.format;
}

TEST(IngestRequest, TheQuerySaysWhatTheTrackIs) {
  const auto request = read({{"codec", "pcm_s16le"},
                             {"rate", "16000"},
                             {"track", "7"},
                             {"label", "Room"},
                             {"speaker", "A"}});
  ASSERT_EQ(refused(request), 0);
  const auto& read = std::get<IngestRequest>(request);
  EXPECT_EQ(read.meeting->to_string(), kMeeting);
  EXPECT_EQ(read.track.track, 7);
  EXPECT_EQ(read.track.label, "Room");
  EXPECT_EQ(read.track.speaker, "A");
  EXPECT_EQ(read.track.format, (media::AudioFormat{Codec::kPcmS16le, 16000, 1}));
}

TEST(IngestRequest, ANewMeetingHasATitle) {
  const auto request = read({{"codec", "webm"}, {"title", "Talk"}}, "", "new");
  ASSERT_EQ(refused(request), 0);
  EXPECT_FALSE(std::get<IngestRequest>(request).meeting);
  EXPECT_EQ(std::get<IngestRequest>(request).title, "Talk");
}

TEST(IngestRequest, TheContentTypeNamesTheCodecWhereTheQueryDoesNot) {
  EXPECT_EQ(format_of(read({}, "audio/webm;codecs=opus")).codec, Codec::kWebm);
  EXPECT_EQ(format_of(read({}, "Application/OGG")).codec, Codec::kOgg);
  EXPECT_EQ(format_of(read({{"codec", "wav"}}, "audio/ogg")).codec, Codec::kWav);
  EXPECT_EQ(format_of(read({}, "audio/pcm; Rate=8000; channels=2")),
            (media::AudioFormat{Codec::kPcmS16le, 8000, 2}));
}

TEST(IngestRequest, OtherwiseTheFirstBytesTellTheCodec) {
  for (const char* const type : {"", "application/octet-stream", "audio/mpeg"})
    EXPECT_EQ(format_of(read({}, type)).codec, Codec::kAuto) << type;
}

TEST(IngestRequest, WhatIsWrongIsRefused) {
  EXPECT_EQ(refused(read({{"codec", "mp7"}})), 415);
  EXPECT_EQ(refused(read({{"codec", "opus"}})), 415);
  EXPECT_EQ(refused(read({{"codec", "pcm_s16le"}})), 400);
  EXPECT_EQ(refused(read({{"codec", "pcm_s16le"}, {"rate", "fast"}})), 400);
  EXPECT_EQ(refused(read({{"codec", "pcm_s16le"}, {"rate", "1"}})), 415);
  EXPECT_EQ(refused(read({{"track", "65536"}})), 400);
  EXPECT_EQ(refused(read({{"track", "-1"}})), 400);
  EXPECT_EQ(refused(read({{"label", std::string(201, 'l')}})), 400);
  EXPECT_EQ(refused(read({}, "", "nobody")), 404);
  EXPECT_EQ(refused(read({}, "", "")), 404);
}

// RFC 7617 section 2: "Aladdin" with the password "open sesame".
TEST(IngestToken, IsTheBearersTokenOrThePasswordOfBasic) {
  EXPECT_EQ(ingest_token("Bearer secret"), "secret");
  EXPECT_EQ(ingest_token("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "open sesame");
  EXPECT_EQ(ingest_token("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ"), "open sesame");
  EXPECT_EQ(ingest_token("Basic QWxh!"), "");
  EXPECT_EQ(ingest_token("Basic QWxhZGRpbg=="), "");
  EXPECT_EQ(ingest_token(std::nullopt), "");
}

}  // namespace
}  // namespace qylon::realtime

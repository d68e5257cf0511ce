#include "api/voice_json.hpp"

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

TEST(VoiceJson, ARequestIsReadWhole) {
  const auto request = parse_voice_request(
      R"({"name":"Ann","consent":{"by":"Ann Norland","text":"voices-1",)"
      R"("at":"2026-11-21T19:00:00Z"},"expires_at":"2027-01-01T00:00:00Z","clip":"+/8="})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->name, "Ann");
  EXPECT_EQ(request->consent_by, "Ann Norland");
  EXPECT_EQ(request->consent_text, "voices-1");
  EXPECT_EQ(request->consent_at, "2026-11-21T19:00:00Z");
  EXPECT_EQ(request->expires_at, "2027-01-01T00:00:00Z");
  EXPECT_EQ(request->clip, "\xFB\xFF");
}

TEST(VoiceJson, WhatIsMissingOrWrongIsNamed) {
  const auto why = [](const char* body) {
    const auto request = parse_voice_request(body);
    return request ? std::string() : request.error().message;
  };
  EXPECT_NE(why(R"({"name":"Ann"})").find("consent must say"), std::string::npos);
  EXPECT_NE(why(R"({"consent":{"by":"Ann"}})").find("consent.text"), std::string::npos);
  EXPECT_NE(why(R"({"consent":{"by":"A\u000a","text":"1"}})").find("by must"), std::string::npos);
  EXPECT_NE(why(R"({"consent":{"by":"A","text":"1"},"expires_at":"soon"})").find("expires_at"),
            std::string::npos);
  EXPECT_NE(why(R"({"consent":{"by":"A","text":"1"},"clip":"%"})").find("clip"), std::string::npos);
}

}  // namespace
}  // namespace qylon::api

// Both dialects of language models, over real sockets.

#include <future>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/core/language_model.hpp"
#include "tests/support/http_standin.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::json;
using test::HttpStandin;

const char* const kOpenAiAnswer = R"({"choices":[{"index":0,"finish_reason":"stop",)"
                                  R"("message":{"role":"assistant","content":"{\"a\":1}"}}]})";
const char* const kAnthropicAnswer =
    R"({"type":"message","role":"assistant","stop_reason":"end_turn",)"
    R"("content":[{"type":"text","text":"{\"a\""},{"type":"text","text":":1}"}]})";

class LanguageModelTest : public testing::Test {
 protected:
  /// What a server that always answers so makes of one prompt.
  LanguageModel::Answer ask(const std::string& dialect,
                            int status,
                            const std::string& body,
                            const std::string& headers = "") {
    const HttpStandin standin([&](const std::string& request, int) {
      request_ = request;
      return HttpStandin::answer(status, body, headers);
    });
    auto model = LanguageModel::create({.dialect = dialect,
                                        .base_url = standin.url("/v1/"),
                                        .model = "small",
                                        .key = "operators",
                                        .timeout_ms = 5'000},
                                       clock_,
                                       counters_);
    EXPECT_TRUE(model) << model.error().message;
    std::promise<LanguageModel::Answer> answer;
    (*model)->complete({.instructions = "Read.", .input = "Words.", .key = key_},
                       [&](LanguageModel::Answer given) { answer.set_value(std::move(given)); });
    return answer.get_future().get();
  }
  Json asked() const { return Json::parse(request_.substr(request_.find("\r\n\r\n"))); }
  bool asked_with(const std::string& header) const {
    return request_.find("\r\n" + header + "\r\n") != std::string::npos;
  }

  const SystemClock clock_{};
  Counters counters_;
  std::string key_;
  std::string request_;
};

TEST_F(LanguageModelTest, SpeaksAsOpenAisServersDo) {
  const auto answer = ask("openai", 200, kOpenAiAnswer);
  ASSERT_TRUE(answer.text) << answer.text.error().message;
  EXPECT_EQ(*answer.text, R"({"a":1})");
  EXPECT_TRUE(request_.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
  EXPECT_TRUE(asked_with("Authorization: Bearer operators"));
  EXPECT_EQ(asked()["model"], "small");
  EXPECT_EQ(asked()["messages"],
            (Json{{{"role", "system"}, {"content", "Read."}},
                  {{"role", "user"}, {"content", "Words."}}}));
}

TEST_F(LanguageModelTest, SpeaksAsAnthropicsServersDo) {
  const auto answer = ask("anthropic", 200, kAnthropicAnswer);
  ASSERT_TRUE(answer.text) << answer.text.error().message;
  EXPECT_EQ(*answer.text, R"({"a":1})");
  EXPECT_TRUE(request_.starts_with("POST /v1/messages HTTP/1.1\r\n"));
  EXPECT_TRUE(asked_with("x-api-key: operators"));
  EXPECT_TRUE(asked_with("anthropic-version: 2023-06-01"));
  EXPECT_EQ(asked()["system"], "Read.");
  EXPECT_GT(asked()["max_tokens"], 0);
  EXPECT_EQ(asked()["messages"], (Json::array({{{"role", "user"}, {"content", "Words."}}})));
}

TEST_F(LanguageModelTest, UsesTheKeyOfWhoAsks) {
  key_ = "theirs";
  ask("openai", 200, kOpenAiAnswer);
  EXPECT_TRUE(asked_with("Authorization: Bearer theirs"));
}

TEST_F(LanguageModelTest, TellsWhatMayBeTriedAgain) {
  const auto code_of = [this](int status) {
    const auto answer = ask("openai", status, R"({"error":{"message":"the key is sk-1"}})");
    EXPECT_FALSE(answer.text);
    EXPECT_EQ(answer.text.error().message.find("sk-1"), std::string::npos);
    return answer.text.error().code;
  };
  EXPECT_EQ(code_of(401), ErrorCode::kForbidden);
  EXPECT_EQ(code_of(403), ErrorCode::kForbidden);
  EXPECT_EQ(code_of(400), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(404), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(408), ErrorCode::kUnavailable);
  EXPECT_EQ(code_of(503), ErrorCode::kUnavailable);
  const auto busy = ask("openai", 429, "", "Retry-After: 7\r\n");
  EXPECT_EQ(busy.text.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(busy.retry_after_ms, 7000);
}

TEST_F(LanguageModelTest, DoesNotTakeEveryAnswer) {
  for (const std::string& body :
       {std::string("<html>"),
        std::string("{}"),
        std::string(R"({"choices":[]})"),
        std::string(R"({"choices":[{"message":{"content":null}}]})"),
        "{\"choices\":" + std::string(5000, '[') + std::string(5000, ']') + "}"})
    EXPECT_EQ(ask("openai", 200, body).text.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(ask("anthropic", 200, kOpenAiAnswer).text);
}

TEST_F(LanguageModelTest, ShowsHowLongItTook) {
  ask("openai", 200, kOpenAiAnswer);
  ask("openai", 503, "");
  const std::string page = counters_.render();
  for (const char* bound : {"0.1", "0.5", "1", "2", "5", "10", "30"})
    EXPECT_NE(page.find("ai_processing_duration_seconds_bucket{le=\"" + std::string(bound) + "\"}"),
              std::string::npos);
  EXPECT_NE(page.find("ai_processing_duration_seconds_count 2"), std::string::npos);
}

TEST_F(LanguageModelTest, IsRefusedAtTheStartWhenItCannotBeAsked) {
  for (const LanguageModel::Options& options :
       {LanguageModel::Options{.dialect = "other", .base_url = "https://a.example", .model = "m"},
        LanguageModel::Options{.base_url = "https://a.example"},
        LanguageModel::Options{.base_url = "a.example", .model = "m"}}) {
    const auto model = LanguageModel::create(options, clock_, counters_);
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace qylon::api
